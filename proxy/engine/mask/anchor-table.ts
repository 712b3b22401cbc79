/**
 * Finds many literals in one pass that looks at one place in every few. It grows and shrinks by single literals. Of each
 * it keeps a window out of its middle: a filter tells where one may stand, and there it is looked up by its beginning.
 */
import { AnchorEntries, beginningOf, WIDE, windowOf, type Beginning } from './anchor-entries.ts';
import { AnchorFilter, FIVE } from './anchor-filter.ts';

const LEAST_ENTRIES = 32;
/** Where in a literal its window may be, in the order of liking: what values share stands at their ends. */
const PLACES = [1 / 2, 1 / 4, 3 / 4, 3 / 8, 5 / 8, 1 / 8, 7 / 8, 1, 0];
/** A window that so many literals have is passed over for another. */
const CROWDED = 8;

/** Told where a literal would begin, and whose it is. */
export type OnAnchor = (start: number, ref: number) => void;

export class AnchorTable {
  /** The shortest literal that it takes, characters. */
  readonly leastLength: number;
  /** Characters of every window: as many as passwords of Vault usually have, until a shorter literal comes. */
  #window: number;
  #filter: AnchorFilter;
  readonly #entries = new AnchorEntries();
  #removed = 0;

  /** The longer its literals are, the fewer places are looked at. */
  constructor(leastLength: 12 | 8 | 4) {
    this.leastLength = leastLength;
    this.#window = leastLength === 12 ? WIDE : leastLength;
    this.#filter = new AnchorFilter(this.#window, 0);
  }

  /** `ref`: not negative, different for each literal. */
  add(literal: string, ref: number): void {
    const { size, capacity } = this.#entries;
    if (literal.length < this.#window) {
      this.#window = this.leastLength;
      this.#rebuild(capacity);
    }
    if (size === capacity) this.#rebuild(Math.max(LEAST_ENTRIES, 2 * capacity));
    const at = this.#placeFor(literal);
    this.#filtered(this.#entries.add(windowOf(literal, at, at + this.#window), at, ref));
  }

  /** What was added; nothing happens where it was not. */
  remove(literal: string, ref: number): void {
    const isGone = this.#placesIn(literal).some((at) =>
      this.#entries.remove(this.#beginningAt(literal, at), ref),
    );
    if (!isGone) return;
    this.#removed += 1;
    // The bits of what is gone stay in the filter until it is made anew.
    if (this.#removed > this.#entries.size + LEAST_ENTRIES) this.#rebuild(this.#entries.capacity);
  }

  /** Candidates in the order of the text; every literal that stands in it is among them. */
  scan(text: string, onAnchor: OnAnchor): void {
    if (this.#entries.size === 0 || text.length < this.#window) return;
    const filter = this.#filter;
    for (let at = filter.nextAt(text, 0); at >= 0; at = filter.nextAt(text, at + filter.stride))
      this.#lookAround(text, at, onAnchor);
    // A window of four may stand where no five does any more.
    if (this.#window < FIVE) this.#lookAround(text, text.length - this.#window, onAnchor);
  }

  /** Whether scanning the bytes as Latin-1 would find a candidate. */
  mayHold(bytes: Uint8Array): boolean {
    if (this.#entries.size === 0) return false;
    const filter = this.#filter;
    for (let at = filter.nextIn(bytes, 0); at >= 0; at = filter.nextIn(bytes, at + filter.stride))
      if (filter.mayStartIn(bytes, at) && this.#mayHoldAround(bytes, at)) return true;
    return this.#window < FIVE && this.#mayHoldAround(bytes, bytes.length - this.#window);
  }

  #mayHoldAround(bytes: Uint8Array, at: number): boolean {
    const from = Math.max(0, at - this.#window);
    const part = bytes.subarray(from, Math.max(from, at + this.#window));
    const text = Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1');
    let found = false;
    this.#lookAround(text, at - from, () => (found = true));
    return found;
  }

  /** Every window that holds the characters at `at`. */
  #lookAround(text: string, at: number, onAnchor: OnAnchor): void {
    const { first, last } = this.#filter.startsAt(text, at);
    for (let start = first; start <= last; start += 1)
      this.#entries.each(this.#beginningAt(text, start), start, onAnchor);
  }

  #placeFor(literal: string): number {
    let best = 0;
    let least = Infinity;
    for (const at of this.#placesIn(literal)) {
      let crowd = 0;
      this.#entries.each(this.#beginningAt(literal, at), at, () => (crowd += 1));
      if (crowd < least) best = at;
      least = Math.min(least, crowd);
      if (least < CROWDED) break;
    }
    return best;
  }

  /** The same whatever the window is now, so that what was added is found again. */
  #placesIn(literal: string): number[] {
    const room = literal.length - (literal.length < WIDE ? this.leastLength : WIDE);
    return PLACES.map((place) => Math.floor(place * room));
  }

  #beginningAt(text: string, at: number): Beginning {
    return beginningOf(text, at, at + this.#window);
  }

  #rebuild(capacity: number): void {
    this.#removed = 0;
    this.#filter = new AnchorFilter(this.#window, capacity);
    this.#entries.resize(capacity, (entry) => this.#filtered(entry));
  }

  #filtered(entry: number): void {
    this.#filter.add((skip) => this.#entries.fiveOf(entry, skip));
  }
}
