/**
 * Characters as the index of known values sees them, in six bits: letters lose their case, and `-` and `_` fall
 * together with `+` and `/`, so that one entry stands for base64 and base64url. Others share a class by chance: what
 * is found by classes is a candidate, and the text itself is compared.
 */
const BITS = 6;
export const CLASS_BITS = BITS;

/** The class of each UTF-16 unit. Not exported, and so a constant where it is used. */
const CLASSES = Uint8Array.from({ length: 0x10000 }, (_, code) => classOf(code));

function classOf(code: number): number {
  const character = String.fromCharCode(code);
  // The case of a pair is a matter of both its halves.
  if (code >= 0xd800 && code <= 0xdfff) return 0;
  if (character === '-') return classOf(0x2b);
  if (character === '_') return classOf(0x2f);
  // Both ways, because some letters have two small forms.
  const folded = character.toUpperCase().toLowerCase();
  return (folded.length === 1 ? folded : character).charCodeAt(0) & ((1 << BITS) - 1);
}

/** The classes of the five characters at `at`, which the text has. */
export function fiveAt(text: string, at: number): number {
  return (
    ((CLASSES[text.charCodeAt(at)] ?? 0) << (4 * BITS)) |
    ((CLASSES[text.charCodeAt(at + 1)] ?? 0) << (3 * BITS)) |
    ((CLASSES[text.charCodeAt(at + 2)] ?? 0) << (2 * BITS)) |
    ((CLASSES[text.charCodeAt(at + 3)] ?? 0) << BITS) |
    (CLASSES[text.charCodeAt(at + 4)] ?? 0)
  );
}

/** The same of bytes, read as Latin-1. */
export function fiveIn(bytes: Uint8Array, at: number): number {
  return (
    (classIn(bytes[at]) << (4 * BITS)) |
    (classIn(bytes[at + 1]) << (3 * BITS)) |
    (classIn(bytes[at + 2]) << (2 * BITS)) |
    (classIn(bytes[at + 3]) << BITS) |
    classIn(bytes[at + 4])
  );
}

function classIn(byte: number | undefined): number {
  return CLASSES[byte ?? 0] ?? 0;
}

/** The same of a text of which only what is before `end` counts: the rest is 0. */
export function fiveWithin(text: string, at: number, end: number): number {
  let five = 0;
  for (let next = at; next < at + 5; next += 1)
    five = (five << BITS) | (next < end ? (CLASSES[text.charCodeAt(next)] ?? 0) : 0);
  return five;
}

/** Spreads the bits of a number over 32, of which the upper ones are the best (Knuth, multiplicative hashing). */
export function mix(number: number): number {
  return Math.imul(number ^ (number >>> 15), 0x9e3779b1);
}
