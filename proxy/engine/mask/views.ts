/**
 * What a text says under one layer of encoding. A view knows where in its parent each of its characters came
 * from, so that what is found in it can be cut out of the parent.
 */
import { isUtf8 } from 'node:buffer';
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
  if (features.escapes) views.push(rewrite(text, ESCAPES));
  if (features.percent) views.push(rewrite(text, PERCENT));
  if (features.disguise) views.push(rewrite(text, DISGUISE));
  for (const run of features.runs) views.push(...runViews(text, run));
  return views;
}

interface Change {
  /** What the characters stand for. */
  readonly to: string;
  /** How many they are. */
  readonly length: number;
}

interface Rewriter {
  /** The offset of the next character that may begin a change, or -1. */
  readonly next: (text: string, from: number) => number;
  readonly changeAt: (text: string, at: number) => Change | undefined;
}

/** A view of which most is the parent as it stands: what is in between is copied, not gone through. */
function rewrite(text: string, { next, changeAt }: Rewriter): View {
  const pieces: string[] = [];
  const origins = new Origins(text.length);
  let copied = 0;
  let length = 0;
  for (let at = next(text, 0); at !== -1;) {
    const change = changeAt(text, at);
    if (change !== undefined) {
      pieces.push(text.slice(copied, at), change.to);
      origins.add({ view: length, parent: copied, fixed: false });
      length += at - copied;
      origins.add({ view: length, parent: at, fixed: true });
      length += change.to.length;
      copied = at + change.length;
    }
    at = next(text, at + (change?.length ?? 1));
  }
  pieces.push(text.slice(copied));
  origins.add({ view: length, parent: copied, fixed: false });
  const toParent = ({ start, end }: Span): Span => ({ start: origins.of(start), end: origins.of(end) });
  return { text: pieces.join(''), binary: false, toParent };
}

interface Stretch {
  /** Where it begins in the view, and in the parent. */
  readonly view: number;
  readonly parent: number;
  /** Whether all of it comes from one place. */
  readonly fixed: boolean;
}

/** Where each character of a view came from, by the stretches that were copied or changed. */
class Origins {
  readonly #stretches: Stretch[] = [];
  readonly #parentLength: number;

  constructor(parentLength: number) {
    this.#parentLength = parentLength;
  }

  add(stretch: Stretch): void {
    this.#stretches.push(stretch);
  }

  of(offset: number): number {
    let low = 0;
    let high = this.#stretches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#stretches[middle]?.view ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const stretch = this.#stretches[low];
    if (stretch === undefined) return Math.min(offset, this.#parentLength);
    return stretch.fixed
      ? stretch.parent
      : Math.min(stretch.parent + offset - stretch.view, this.#parentLength);
  }
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
const ESCAPES: Rewriter = {
  next: (text, from) => text.indexOf('\\', from),
  changeAt: (text, at) => {
    if (at + 1 >= text.length) return undefined;
    const letter = text.charAt(at + 1);
    const digits = letter === 'u' ? 4 : letter === 'x' ? 2 : 0;
    if (digits === 0) return { to: SHORT_ESCAPES[letter] ?? letter, length: 2 };
    const code = hexAt(text, at + 2, digits);
    return code === undefined
      ? { to: letter, length: 2 }
      : { to: String.fromCharCode(code), length: 2 + digits };
  },
};

/**
 * Bytes that are a character of UTF-8 become that character, every other byte one by itself: known values beyond ASCII
 * are looked for in that form too.
 */
const PERCENT: Rewriter = {
  next: (text, from) => text.indexOf('%', from),
  changeAt: (text, at) => {
    const code = hexAt(text, at + 1, 2);
    if (code === undefined) return undefined;
    return (code >= 0xc2 && utf8At(text, at, code)) || { to: String.fromCharCode(code), length: 3 };
  },
};

/** A character of several bytes, each behind a percent sign. */
function utf8At(text: string, at: number, lead: number): Change | undefined {
  const count = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const bytes = Buffer.alloc(count);
  for (let index = 0; index < count; index += 1) {
    const code = text.charCodeAt(at + 3 * index) === 0x25 ? hexAt(text, at + 3 * index + 1, 2) : undefined;
    if (code === undefined) return undefined;
    bytes[index] = code;
  }
  return isUtf8(bytes) ? { to: bytes.toString('utf8'), length: 3 * count } : undefined;
}

const DISGUISE: Rewriter = {
  next: (text, from) => {
    for (let at = from; at < text.length; at += 1) if (isDisguise(text.charCodeAt(at))) return at;
    return -1;
  },
  changeAt: (text, at) => ({ to: undisguised(text.charCodeAt(at)), length: 1 }),
};

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
