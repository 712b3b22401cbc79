/**
 * What a text says under one layer of encoding. A view knows where in its parent each of its characters came
 * from, so that what is found in it can be cut out of the parent.
 */
import { decodeRun } from './decode.ts';
import { isDisguise, isHexDigit, undisguised, type Features } from './features.ts';
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
  return isDisguise(code) ? { to: undisguised(code), length: 1 } : undefined;
}

function hexAt(text: string, at: number, digits: number): number | undefined {
  for (let digit = at; digit < at + digits; digit += 1)
    if (!isHexDigit(text.charCodeAt(digit))) return undefined;
  return Number.parseInt(text.slice(at, at + digits), 16);
}

/** A hit in what a run decodes to takes the whole run out, its padding too: what remained would not decode. */
function runViews(text: string, run: Span): View[] {
  let end = run.end;
  while (text[end] === '=') end += 1;
  return decodeRun(text, run).map((decoded) => ({ ...decoded, toParent: () => ({ start: run.start, end }) }));
}
