/**
 * What a text says under one layer of encoding. A view knows where in its parent each of its characters came
 * from, so that what is found in it can be cut out of the parent.
 */
import { isDisguise, isHexDigit, type Features } from './features.ts';
import type { Span } from './types.ts';

export interface View {
  readonly text: string;
  /** Decoded from bytes that are no text: only known values and formats with a marker are looked for. */
  readonly binary: boolean;
  readonly toParent: (span: Span) => Span;
}

/** Every view of the text that its features give a reason for. */
export function viewsOf(text: string, features: Features): View[] {
  const views: View[] = [];
  if (features.escapes) views.push(rewrite(text, unescapeAt));
  if (features.percent) views.push(rewrite(text, unpercentAt));
  if (features.disguise) views.push(rewrite(text, undisguiseAt));
  for (const run of features.runs) views.push(...runViews(text, run));
  return views;
}

/** What stands for the characters from `at` on, and how many they are. */
type Rewriter = (text: string, at: number) => { readonly to: string; readonly length: number } | undefined;

function rewrite(text: string, rewriter: Rewriter): View {
  const pieces: string[] = [];
  const origins: number[] = [];
  let at = 0;
  while (at < text.length) {
    const change = rewriter(text, at);
    const to = change === undefined ? text.charAt(at) : change.to;
    pieces.push(to);
    for (let unit = 0; unit < to.length; unit += 1) origins.push(at);
    at += change?.length ?? 1;
  }
  origins.push(text.length);
  const toParent = ({ start, end }: Span): Span => ({
    start: origins[start] ?? 0,
    end: origins[end] ?? text.length,
  });
  return { text: pieces.join(''), binary: false, toParent };
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '0': '\0',
};

/** The escapes of JSON, and `\xHH` as shells and logs write it. */
function unescapeAt(text: string, at: number): ReturnType<Rewriter> {
  if (text.charCodeAt(at) !== 0x5c || at + 1 >= text.length) return undefined;
  const letter = text.charAt(at + 1);
  const digits = letter === 'u' ? 4 : letter === 'x' ? 2 : 0;
  if (digits === 0) return { to: SHORT_ESCAPES[letter] ?? letter, length: 2 };
  const code = hexAt(text, at + 2, digits);
  return code === undefined
    ? { to: letter, length: 2 }
    : { to: String.fromCharCode(code), length: 2 + digits };
}

/** A byte becomes one character: known values beyond ASCII are looked for in that form too. */
function unpercentAt(text: string, at: number): ReturnType<Rewriter> {
  if (text.charCodeAt(at) !== 0x25) return undefined;
  const code = hexAt(text, at + 1, 2);
  return code === undefined ? undefined : { to: String.fromCharCode(code), length: 3 };
}

function undisguiseAt(text: string, at: number): ReturnType<Rewriter> {
  const code = text.charCodeAt(at);
  if (!isDisguise(code)) return undefined;
  return { to: code >= 0xff01 && code <= 0xff5e ? String.fromCharCode(code - 0xfee0) : '', length: 1 };
}

function hexAt(text: string, at: number, digits: number): number | undefined {
  for (let digit = at; digit < at + digits; digit += 1)
    if (!isHexDigit(text.charCodeAt(digit))) return undefined;
  return Number.parseInt(text.slice(at, at + digits), 16);
}

/** Up to this length a run is decoded from each place where a group may begin, beyond it only from its start. */
const ANY_PHASE_MAX = 16_384;
/** A shorter run that decodes to bytes which are no text is a name or an id, not an encoding. */
const BINARY_FROM = 64;

/** A hit in what a run decodes to takes the whole run out: what remained would not decode. */
function runViews(text: string, run: Span): View[] {
  const encoded = text.slice(run.start, run.end).replace(/\s+/g, '');
  const views: View[] = [];
  for (const bytes of decodings(encoded)) {
    const decoded = withoutNuls(bytes.toString('latin1'));
    const binary = !isPrintable(decoded);
    if (binary && encoded.length < BINARY_FROM) continue;
    views.push({ text: decoded, binary, toParent: () => run });
  }
  return views;
}

function* decodings(encoded: string): Generator<Buffer> {
  if (/^[0-9A-Fa-f]+$/.test(encoded)) {
    yield Buffer.from(encoded, 'hex');
    return;
  }
  const phases = encoded.length <= ANY_PHASE_MAX ? 4 : 1;
  for (let phase = 0; phase < phases; phase += 1) yield Buffer.from(encoded.slice(phase), 'base64');
}

/** UTF-16, as Windows shells encode their commands, becomes the ASCII in it. */
function withoutNuls(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}

/** Text as people and programs write it; bytes of UTF-8 beyond ASCII count as such. */
function isPrintable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 ? code < 0x09 || code > 0x0d : code === 0x7f || (code > 0x7f && code < 0xa0))
      return isPrintableUtf8(text);
  }
  return true;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function isPrintableUtf8(bytes: string): boolean {
  try {
    return !/[\p{Cc}--[\t-\r]]/v.test(utf8.decode(Buffer.from(bytes, 'latin1')));
  } catch {
    return false;
  }
}
