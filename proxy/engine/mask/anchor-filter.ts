/**
 * Tells of places in a text whether one of many windows may stand there, of whose characters it keeps bits alone
 * (Bloom 1970). A window is so long that wherever it stands in a text, one of the places that are looked at begins
 * five characters of it. A yes is a maybe.
 */
import { CLASS_BITS, fiveAt, fiveIn, mix } from './folded.ts';

/** Characters that are looked at in each place. */
export const FIVE = 5;
/** Characters that are looked at before the windows are: a five, and the one so far behind it. */
export const EIGHT = 8;
export const APART = EIGHT - FIVE;

/** Bits for each five: about one place in so many is looked at more closely for nothing. */
const BITS_EACH = 16;
/** Of the number of bits. */
const MIN_BITS = 15;
const MAX_BITS = 24;

export class AnchorFilter {
  /** Characters of each window. */
  readonly window: number;
  /** One in so many places is looked at. */
  readonly stride: number;
  /** What of a five counts: four characters where windows have no more. */
  readonly mask: number;
  readonly #fives: Int32Array;
  readonly #eights: Int32Array;
  readonly #shift: number;

  /** For so many windows. */
  constructor(window: number, capacity: number) {
    this.window = window;
    this.stride = Math.max(1, window - FIVE + 1);
    this.mask = window < FIVE ? -1 << CLASS_BITS : -1;
    const bits = Math.min(MAX_BITS, Math.max(MIN_BITS, bitsFor(capacity * this.stride * BITS_EACH)));
    this.#shift = 32 - bits;
    this.#fives = new Int32Array(1 << (bits - 5));
    this.#eights = new Int32Array(this.#looksAtEights ? 1 << (bits - 5) : 0);
  }

  /** `five`: the classes of the five characters that begin so far behind the beginning of the window. */
  add(five: (skip: number) => number): void {
    for (let skip = 0; skip < this.stride; skip += 1)
      set(this.#fives, mix(five(skip) & this.mask) >>> this.#shift);
    if (!this.#looksAtEights) return;
    for (let skip = 0; skip + EIGHT <= this.window; skip += 1)
      set(this.#eights, mix(five(skip) ^ mix(five(skip + APART))) >>> this.#shift);
  }

  /** The next place that begins a five of a window; -1 where there is none. */
  nextAt(text: string, from: number): number {
    const { stride, mask } = this;
    const fives = this.#fives;
    const shift = this.#shift;
    for (let at = from; at + FIVE <= text.length; at += stride) {
      const hash = mix(fiveAt(text, at) & mask) >>> shift;
      if ((((fives[hash >>> 5] ?? 0) >>> hash) & 1) !== 0) return at;
    }
    return -1;
  }

  /** The same for bytes, read as Latin-1. */
  nextIn(bytes: Uint8Array, from: number): number {
    const { stride, mask } = this;
    const fives = this.#fives;
    const shift = this.#shift;
    for (let at = from; at + FIVE <= bytes.length; at += stride) {
      const hash = mix(fiveIn(bytes, at) & mask) >>> shift;
      if ((((fives[hash >>> 5] ?? 0) >>> hash) & 1) !== 0) return at;
    }
    return -1;
  }

  /** Where windows may begin, from the first to the last, that hold the five at `at`, which `nextAt` told. */
  startsAt(text: string, at: number): { readonly first: number; readonly last: number } {
    let first = at - this.stride + 1;
    let last = at;
    if (this.#looksAtEights) {
      // Of such a window there are eight characters that begin here, or eight that end where this five does.
      if (!this.#isEightAt(text, at)) last = at - (this.window - EIGHT) - 1;
      if (!this.#isEightAt(text, at - APART)) first = at - APART + 1;
    }
    return { first: Math.max(0, first), last: Math.min(last, text.length - this.window) };
  }

  /** Whether there may be any such place, for bytes. */
  mayStartIn(bytes: Uint8Array, at: number): boolean {
    return !this.#looksAtEights || this.#isEightIn(bytes, at) || this.#isEightIn(bytes, at - APART);
  }

  get #looksAtEights(): boolean {
    return this.stride >= EIGHT;
  }

  #isEightAt(text: string, at: number): boolean {
    if (at < 0 || at + EIGHT > text.length) return false;
    return has(this.#eights, mix(fiveAt(text, at) ^ mix(fiveAt(text, at + APART))) >>> this.#shift);
  }

  #isEightIn(bytes: Uint8Array, at: number): boolean {
    if (at < 0 || at + EIGHT > bytes.length) return false;
    return has(this.#eights, mix(fiveIn(bytes, at) ^ mix(fiveIn(bytes, at + APART))) >>> this.#shift);
  }
}

/** Bits of a number that tells so many things apart. */
export function bitsFor(count: number): number {
  return Math.max(5, 32 - Math.clz32(Math.max(0, count - 1)));
}

function has(bits: Int32Array, bit: number): boolean {
  return (((bits[bit >>> 5] ?? 0) >>> bit) & 1) !== 0;
}

function set(bits: Int32Array, bit: number): void {
  bits[bit >>> 5] = (bits[bit >>> 5] ?? 0) | (1 << (bit & 31));
}
