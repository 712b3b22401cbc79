/** Encodings that change characters of a text here and there, and leave what is in between. */
import { isUtf8 } from 'node:buffer';
import { isDisguise, undisguised } from './kinds.ts';
import type { Span } from './types.ts';

export interface Rewritten {
  readonly text: string;
  readonly toParent: (span: Span) => Span;
}

export interface Rewriter {
  /** Not 0 for each character that may begin a change. */
  readonly signs: Uint8Array;
  /** Writes what begins at a sign stands for, no longer than it is, and tells how long it is; 0 where it is nothing. */
  readonly undo: (text: string, at: number, written: Written) => number;
}

const SHORT = 64;

/** The text that a rewriter makes, by UTF-16 units. */
class Written {
  readonly #units: Uint16Array | number[];
  length = 0;

  constructor(capacity: number) {
    // To make a buffer is dear, and most texts are short.
    this.#units = capacity <= SHORT ? [] : new Uint16Array(capacity);
  }

  put(unit: number): void {
    this.#units[this.length] = unit;
    this.length += 1;
  }

  toString(): string {
    if (Array.isArray(this.#units)) return String.fromCharCode(...this.#units);
    return Buffer.from(this.#units.buffer, 0, 2 * this.length).toString('utf16le');
  }
}

export function rewrite(text: string, rewriter: Rewriter): Rewritten {
  let origins: Origins | undefined;
  return {
    text: write(text, rewriter).toString(),
    // Mostly nothing is found, and so nothing asked for.
    toParent({ start, end }) {
      if (origins === undefined) write(text, rewriter, (origins = new Origins()));
      return { start: origins.of(start), end: origins.of(end) };
    },
  };
}

function write(text: string, { signs, undo }: Rewriter, origins?: Origins): Written {
  const written = new Written(text.length);
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    const start = written.length;
    const length = signs[unit] === 0 ? 0 : undo(text, at, written);
    if (length === 0) {
      written.put(unit);
      at += 1;
    } else {
      origins?.add(start, written.length - start, at, at + length);
      at += length;
    }
  }
  return written;
}

/** Where each character of a text that was rewritten came from. */
class Origins {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #parentStarts: number[] = [];
  readonly #parentEnds: number[] = [];

  /** Of each change: where what it made begins, how long that is, and from where to where it was before. */
  add(start: number, length: number, parentStart: number, parentEnd: number): void {
    this.#starts.push(start);
    this.#ends.push(start + length);
    this.#parentStarts.push(parentStart);
    this.#parentEnds.push(parentEnd);
  }

  of(offset: number): number {
    const change = this.#lastBefore(offset);
    if (change === -1) return offset;
    const end = this.#ends[change] ?? 0;
    return offset < end ? (this.#parentStarts[change] ?? 0) : (this.#parentEnds[change] ?? 0) + offset - end;
  }

  #lastBefore(offset: number): number {
    let low = -1;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const HEX = new Int8Array(128).fill(-1);
for (const [value, digit] of Array.from('0123456789abcdef').entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

const BACKSLASH = 0x5c;
const PERCENT_SIGN = 0x25;
const SHORT_ESCAPES: ReadonlyMap<number, number> = new Map(
  ['n\n', 't\t', 'r\r', 'b\b', 'f\f', '0\0'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
);
const DIGITS_AFTER: ReadonlyMap<number, number> = new Map([
  [0x75, 4],
  [0x78, 2],
]);

/** The escapes of JSON, and `\xHH` as shells and logs write it. */
export const ESCAPES: Rewriter = {
  signs: signsOf((unit) => unit === BACKSLASH),
  undo(text, at, written) {
    if (at + 1 >= text.length) return 0;
    const letter = text.charCodeAt(at + 1);
    const digits = DIGITS_AFTER.get(letter) ?? 0;
    const unit = digits === 0 ? -1 : hexAt(text, at + 2, digits);
    written.put(unit === -1 ? (SHORT_ESCAPES.get(letter) ?? letter) : unit);
    return unit === -1 ? 2 : 2 + digits;
  },
};

/**
 * Bytes that are a character of UTF-8 become that character, every other byte one by itself: known values beyond ASCII
 * are looked for in that form too.
 */
export const PERCENT: Rewriter = {
  signs: signsOf((unit) => unit === PERCENT_SIGN),
  undo(text, at, written) {
    const byte = hexAt(text, at + 1, 2);
    if (byte === -1) return 0;
    const character = byte >= 0xc2 ? utf8At(text, at, byte) : undefined;
    if (character === undefined) {
      written.put(byte);
      return 3;
    }
    for (let unit = 0; unit < character.length; unit += 1) written.put(character.charCodeAt(unit));
    return 3 * Buffer.byteLength(character);
  },
};

/** A character of several bytes, each behind a percent sign. */
function utf8At(text: string, at: number, lead: number): string | undefined {
  const count = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const bytes = Buffer.alloc(count);
  for (let index = 0; index < count; index += 1) {
    const sign = at + 3 * index;
    const byte = text.charCodeAt(sign) === PERCENT_SIGN ? hexAt(text, sign + 1, 2) : -1;
    if (byte === -1) return undefined;
    bytes[index] = byte;
  }
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

export const DISGUISE: Rewriter = {
  signs: signsOf(isDisguise),
  undo(text, at, written) {
    const character = undisguised(text.charCodeAt(at));
    if (character !== '') written.put(character.charCodeAt(0));
    return 1;
  },
};

function signsOf(isSign: (unit: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 0x10000 }, (_, unit) => (isSign(unit) ? 1 : 0));
}

/** What so many hex digits say, or -1 where there are not so many. */
function hexAt(text: string, at: number, digits: number): number {
  let code = 0;
  for (let digit = at; digit < at + digits; digit += 1) {
    const value = HEX[text.charCodeAt(digit)] ?? -1;
    if (value < 0) return -1;
    code = 16 * code + value;
  }
  return code;
}
