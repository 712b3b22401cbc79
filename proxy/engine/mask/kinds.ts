/** The kinds of characters that matter to what is looked for, and a walk over a text by words of them. */
export const LOWER = 1;
export const UPPER = 2;
export const DIGIT = 4;
/** Of base64, base64url or hex: what words are made of. */
export const ENCODED = 8;
/** What may stand between the digits of a number. */
export const BETWEEN_DIGITS = 16;
/** What may hide something: a backslash, a percent sign, a disguise. */
export const MARK = 32;
/** Of base64 and no hex digit, but for the dash. */
export const BEYOND_HEX = 64;

/** The kinds of each UTF-16 unit. Not exported, and so a constant where it is used. */
const KINDS = Uint8Array.from({ length: 0x10000 }, (_, code) =>
  code < 128 ? kindOf(String.fromCharCode(code)) : isDisguise(code) ? MARK : 0,
);

function kindOf(character: string): number {
  const beyond = /[-0-9A-Fa-f]/.test(character) ? 0 : BEYOND_HEX;
  if (/[a-z]/.test(character)) return LOWER | ENCODED | beyond;
  if (/[A-Z]/.test(character)) return UPPER | ENCODED | beyond;
  if (/[0-9]/.test(character)) return DIGIT | ENCODED | BETWEEN_DIGITS;
  if ('-+/'.includes(character)) return ENCODED | BETWEEN_DIGITS | beyond;
  if (character === '_') return ENCODED | beyond;
  if (' .()'.includes(character)) return BETWEEN_DIGITS;
  return '\\%'.includes(character) ? MARK : 0;
}

/** Told of what a walk comes by, in the order of the text. */
export interface WordSink {
  /** As many characters of base64 as follow one another, and the kinds that are among them. */
  word(start: number, end: number, kinds: number): void;
  /** A character that is in no word and between no digits. Returns where to go on: behind it, or further on. */
  other(at: number, code: number, kind: number): number;
}

/** Goes through the text once. */
export function walkWords(text: string, sink: WordSink): void {
  const length = text.length;
  let at = 0;
  while (at < length) {
    const start = at;
    let code = text.charCodeAt(at);
    let kind = KINDS[code] ?? 0;
    let kinds = 0;
    while ((kind & ENCODED) !== 0) {
      kinds |= kind;
      at += 1;
      code = at < length ? text.charCodeAt(at) : 0;
      kind = KINDS[code] ?? 0;
    }
    if (at > start) sink.word(start, at, kinds);
    if (at >= length) return;
    at = (kind & BETWEEN_DIGITS) !== 0 ? at + 1 : sink.other(at, code, kind);
  }
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Of ASCII. */
export function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

export function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66);
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
