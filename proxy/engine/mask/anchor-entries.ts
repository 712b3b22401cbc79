/** The windows of an anchor table in numbers alone: a hash table whose entries come and go by themselves. */
import { APART, bitsFor, EIGHT, FIVE } from './anchor-filter.ts';
import { CLASS_BITS, fiveAt, fiveWithin, mix } from './folded.ts';

/** What an entry is made of: the classes of its window, five a cell; where in the literal it is; whose it is; the next. */
const WINDOW_CELLS = 4;
const AT = 4;
const REF = 5;
const NEXT = 6;
const CELLS = 7;

const FIVE_BITS = FIVE * CLASS_BITS;
const NONE = -1;

/** The longest window. */
export const WIDE = WINDOW_CELLS * FIVE;

/** What a window is looked up by: its first five, and those that end its first eight. */
export interface Beginning {
  readonly first: number;
  readonly other: number;
}

/** A window's classes, five a number. */
export type Window = readonly [first: number, second: number, third: number, fourth: number];

/** The window that begins at `at` and ends before `end`. */
export function windowOf(text: string, at: number, end: number): Window {
  return [
    fiveWithin(text, at, end),
    fiveWithin(text, at + FIVE, end),
    fiveWithin(text, at + 2 * FIVE, end),
    fiveWithin(text, at + 3 * FIVE, end),
  ];
}

/** The beginning of the window that begins at `at` and ends before `end`. */
export function beginningOf(text: string, at: number, end: number): Beginning {
  if (end - at >= EIGHT) return { first: fiveAt(text, at), other: fiveAt(text, at + APART) };
  return { first: fiveWithin(text, at, end), other: fiveWithin(text, at + APART, end) };
}

export class AnchorEntries {
  #size = 0;
  #cells = new Int32Array(0);
  #heads = new Int32Array(1).fill(NONE);
  #headShift = 31;
  /** The first of the entries that are free. */
  #free = NONE;

  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#cells.length / CELLS;
  }

  /** To be called where there is room. Returns which one it is now. */
  add(window: Window, at: number, ref: number): number {
    const entry = this.#free;
    this.#free = this.#cells[entry * CELLS + NEXT] ?? NONE;
    this.#cells.set([...window, at, ref], entry * CELLS);
    this.#link(entry);
    this.#size += 1;
    return entry;
  }

  /** Whether there was one. */
  remove({ first, other }: Beginning, ref: number): boolean {
    const entry = this.#unlink(this.#bucketOf(first, other), ref);
    if (entry === NONE) return false;
    this.#release(entry);
    this.#size -= 1;
    return true;
  }

  /**
   * For a window that begins so at `start`: tells where the literal of each such entry would begin, and whose it is.
   */
  each({ first, other }: Beginning, start: number, visit: (start: number, ref: number) => void): void {
    const cells = this.#cells;
    let entry = this.#heads[this.#bucketOf(first, other)] ?? NONE;
    for (; entry !== NONE; entry = cells[entry * CELLS + NEXT] ?? NONE) {
      if (this.fiveOf(entry, 0) === first && this.fiveOf(entry, APART) === other)
        visit(start - (cells[entry * CELLS + AT] ?? 0), cells[entry * CELLS + REF] ?? NONE);
    }
  }

  /** The classes of five characters of an entry's window, of which so many are skipped. */
  fiveOf(entry: number, skip: number): number {
    const index = Math.floor(skip / FIVE);
    const cell = entry * CELLS + index;
    const right = index + 1 < WINDOW_CELLS ? (this.#cells[cell + 1] ?? 0) : 0;
    return between(this.#cells[cell] ?? 0, right, skip % FIVE);
  }

  /** Makes room, and tells each entry that there is. */
  resize(capacity: number, visit: (entry: number) => void): void {
    const used = this.capacity;
    const cells = new Int32Array(capacity * CELLS);
    cells.set(this.#cells);
    this.#cells = cells;
    this.#headShift = 32 - bitsFor(capacity);
    this.#heads = new Int32Array(1 << bitsFor(capacity)).fill(NONE);
    this.#free = NONE;
    for (let entry = capacity - 1; entry >= 0; entry -= 1) {
      if (entry >= used || cells[entry * CELLS + REF] === NONE) {
        this.#release(entry);
        continue;
      }
      this.#link(entry);
      visit(entry);
    }
  }

  #bucketOf(first: number, other: number): number {
    return mix(first ^ mix(other)) >>> this.#headShift;
  }

  #link(entry: number): void {
    const bucket = this.#bucketOf(this.fiveOf(entry, 0), this.fiveOf(entry, APART));
    this.#cells[entry * CELLS + NEXT] = this.#heads[bucket] ?? NONE;
    this.#heads[bucket] = entry;
  }

  #unlink(bucket: number, ref: number): number {
    const cells = this.#cells;
    let before = NONE;
    for (
      let entry = this.#heads[bucket] ?? NONE;
      entry !== NONE;
      entry = cells[entry * CELLS + NEXT] ?? NONE
    ) {
      if (cells[entry * CELLS + REF] === ref) {
        const next = cells[entry * CELLS + NEXT] ?? NONE;
        if (before === NONE) this.#heads[bucket] = next;
        else cells[before * CELLS + NEXT] = next;
        return entry;
      }
      before = entry;
    }
    return NONE;
  }

  #release(entry: number): void {
    this.#cells[entry * CELLS + REF] = NONE;
    this.#cells[entry * CELLS + NEXT] = this.#free;
    this.#free = entry;
  }
}

/** The five that begins `skip` characters within `left`, which `right` follows. */
function between(left: number, right: number, skip: number): number {
  const bits = skip * CLASS_BITS;
  return ((left << bits) | (right >>> (FIVE_BITS - bits))) & ((1 << FIVE_BITS) - 1);
}
