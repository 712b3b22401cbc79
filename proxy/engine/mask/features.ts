import type { Span } from './types.ts';

/** What a text holds that a look behind its surface, or at its numbers, would be worth. One linear pass. */
export interface Features {
  /** A backslash, so that escapes may hide something. */
  readonly escapes: boolean;
  /** A percent sign before two hex digits. */
  readonly percent: boolean;
  /** Characters that are invisible, or a full-width copy of an ASCII one. */
  readonly disguise: boolean;
  /** Digits enough for a number that a detector looks for, close together. */
  readonly digits: boolean;
  /** Runs that may be base64 or hex, over the line ends of wrapped ones. */
  readonly runs: readonly Span[];
}

/** Told of each feature as it is seen, at the offset of its last character. */
export interface FeatureSink {
  escape(at: number): void;
  percent(at: number): void;
  disguise(at: number): void;
  digits(at: number): void;
  run(start: number, end: number): void;
}

const LOWER = 1;
const UPPER = 2;
export const DIGIT = 4;
export const ENCODED = 8;
export const BETWEEN_DIGITS = 16;
export const MARK = 32;

/** The kinds of each UTF-16 unit. */
export const KINDS = Uint8Array.from({ length: 0x10000 }, (_, code) =>
  code < 128 ? kindOf(String.fromCharCode(code)) : isDisguise(code) ? MARK : 0,
);

function kindOf(character: string): number {
  if (/[a-z]/.test(character)) return LOWER | ENCODED;
  if (/[A-Z]/.test(character)) return UPPER | ENCODED;
  if (/[0-9]/.test(character)) return DIGIT | ENCODED | BETWEEN_DIGITS;
  if (character === '-') return ENCODED | BETWEEN_DIGITS;
  if ('+/'.includes(character)) return ENCODED | BETWEEN_DIGITS;
  if (character === '_') return ENCODED;
  if (' .()'.includes(character)) return BETWEEN_DIGITS;
  return '\\%'.includes(character) ? MARK : 0;
}

/** The shortest run that is worth decoding: a few bytes are found directly, in the forms of the known values. */
const MIN_RUN = 12;
/** Shorter runs of digits alone are numbers and dates. */
const MIN_DIGIT_RUN = 16;
/** A line of an encoded text that goes on in the next one is at least this long. */
export const MIN_WRAPPED = 16;
/** The digits of the shortest number that a detector looks for, and of the shortest that holds letters. */
export const MIN_DIGITS = 8;
export const MIN_MIXED_DIGITS = 7;

/** Walks the text once and tells the sink. */
export function scanFeatures(text: string, sink: FeatureSink): void {
  let runStart = 0;
  let runKinds = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at += 1) {
    const kind = KINDS[text.charCodeAt(at)] ?? 0;
    if ((kind & ENCODED) !== 0) runKinds |= kind;
    else {
      if (at - runStart >= MIN_RUN) tellRun(runStart, at, runKinds, sink);
      runStart = at + 1;
      runKinds = 0;
    }
    if ((kind & (ENCODED | BETWEEN_DIGITS)) === 0) digits = 0;
    else if ((kind & DIGIT) !== 0) {
      digits += 1;
      if (digits === MIN_MIXED_DIGITS) sink.digits(at);
    }
    if (kind === MARK) tellMark(text, at, sink);
  }
  if (text.length - runStart >= MIN_RUN) tellRun(runStart, text.length, runKinds, sink);
}

export function featuresOf(text: string): Features {
  const found = { escapes: false, percent: false, disguise: false, digits: false, runs: new Array<Span>() };
  scanFeatures(text, {
    escape: () => (found.escapes = true),
    percent: () => (found.percent = true),
    disguise: () => (found.disguise = true),
    digits: () => (found.digits = true),
    run: (start, end) => {
      const last = found.runs.at(-1);
      if (last !== undefined && continues(text, last, start))
        found.runs[found.runs.length - 1] = { start: last.start, end };
      else found.runs.push({ start, end });
    },
  });
  return found;
}

function tellRun(start: number, end: number, kinds: number, sink: FeatureSink): void {
  if (mayBeEncoded(end - start, kinds)) sink.run(start, end);
}

/**
 * Whether a run of so many characters, of these kinds, is worth decoding. A word is of one kind of character; what is encoded is of at least two, or hex that happens to have no letter.
 */
export function mayBeEncoded(length: number, kinds: number): boolean {
  if (length < MIN_RUN) return false;
  const mixed = kinds & (LOWER | UPPER | DIGIT);
  const isWord = mixed === LOWER || mixed === UPPER || mixed === 0;
  return !isWord && (mixed !== DIGIT || length >= MIN_DIGIT_RUN);
}

function tellMark(text: string, at: number, sink: FeatureSink): void {
  const code = text.charCodeAt(at);
  if (code === 0x5c) sink.escape(at);
  else if (code !== 0x25) sink.disguise(at);
  else if (isHexDigit(text.charCodeAt(at + 1)) && isHexDigit(text.charCodeAt(at + 2))) sink.percent(at);
}

export function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** Soft hyphen, zero-width and directional characters, word joiner, byte order mark, full-width ASCII. */
export function isDisguise(code: number): boolean {
  if (code < 0x200b) return code === 0xad;
  if (code <= 0x200f || (code >= 0x202a && code <= 0x202e)) return true;
  return (code >= 0x2060 && code <= 0x2064) || code === 0xfeff || (code >= 0xff01 && code <= 0xff5e);
}

/** What a disguised character stands for: nothing, or the ASCII character it is a copy of. */
export function undisguised(code: number): string {
  return code >= 0xff01 && code <= 0xff5e ? String.fromCharCode(code - 0xfee0) : '';
}

/** Whether nothing but a line end and indentation parts a run from the one before it. */
function continues(text: string, last: Span, start: number): boolean {
  if (last.end - last.start < MIN_WRAPPED || start - last.end > 12) return false;
  return /^\r?\n[ \t]*$/.test(text.slice(last.end, start));
}
