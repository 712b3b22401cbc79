/** Which words of a text may be base64 or hex. */
import { BEYOND_HEX, DIGIT, LOWER, UPPER } from './kinds.ts';
import type { Span } from './types.ts';

const DASH = 0x2d;

/** The shortest run that is worth decoding: a few bytes are found directly, in the forms of the known values. */
const MIN_RUN = 12;
/** Shorter runs of digits alone are numbers and dates. */
const MIN_DIGIT_RUN = 16;
/** A line of an encoded text that goes on in the next one is at least this long. */
const MIN_WRAPPED = 16;
/** A line end and the indentation of the next line are no longer. */
const MAX_BREAK = 12;

/**
 * Whether a word of these kinds of characters is worth decoding. A word of a language is of one kind of character; what is
 * encoded is of at least two, or hex that happens to have no letter. A UUID has dashes where neither would have them.
 */
export function mayBeEncoded(text: string, start: number, end: number, kinds: number): boolean {
  if (end - start < MIN_RUN) return false;
  const mixed = kinds & (LOWER | UPPER | DIGIT);
  const isWord = mixed === LOWER || mixed === UPPER || mixed === 0;
  return !isWord && (mixed !== DIGIT || end - start >= MIN_DIGIT_RUN) && !isUuid(text, start, end, kinds);
}

const UUID_LENGTH = 36;

/** RFC 9562, section 4. */
function isUuid(text: string, start: number, end: number, kinds: number): boolean {
  return (
    end - start === UUID_LENGTH &&
    (kinds & BEYOND_HEX) === 0 &&
    text.charCodeAt(start + 8) === DASH &&
    text.charCodeAt(start + 13) === DASH &&
    text.charCodeAt(start + 18) === DASH &&
    text.charCodeAt(start + 23) === DASH
  );
}

/** Whether a run may go on in the next line. */
export function mayBeWrapped({ start, end }: Span): boolean {
  return end - start >= MIN_WRAPPED;
}

/** Whether nothing but a line end and indentation parts a run from the one before it. */
export function continues(text: string, last: Span, start: number): boolean {
  if (!mayBeWrapped(last) || start - last.end > MAX_BREAK) return false;
  return /^\r?\n[ \t]*$/.test(text.slice(last.end, start));
}
