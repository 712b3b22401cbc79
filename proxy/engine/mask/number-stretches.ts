import { BETWEEN_DIGITS, DIGIT, ENCODED, KINDS, MIN_DIGITS, MIN_MIXED_DIGITS } from './features.ts';
import type { Span } from './types.ts';

/** No number that is looked for reaches further beyond its outermost digits, nor has a longer gap between two. */
const REACH = 48;

export interface Stretch extends Span {
  /** Whether so many digits stand without letters between them that any number may be there. */
  readonly pure: boolean;
}

/**
 * The parts of a text that may hold a number: digits that lie near one another, and what may belong to them. Whatever a
 * detector of numbers finds in the text, it finds in one of them.
 */
export function numberStretches(text: string): Stretch[] {
  const finder = new Finder(text.length);
  for (let at = 0; at < text.length; at += 1) {
    const kind = KINDS[text.charCodeAt(at)] ?? 0;
    if ((kind & DIGIT) !== 0) finder.digit(at);
    else if ((kind & (ENCODED | BETWEEN_DIGITS)) === 0) finder.end(at, at + 1);
    else if ((kind & BETWEEN_DIGITS) === 0) finder.letter();
  }
  return finder.finish();
}

class Finder {
  readonly #length: number;
  readonly #spans: Stretch[] = [];
  #from = 0;
  #first = -1;
  #last = -1;
  #digits = 0;
  #row = 0;
  #pure = false;

  constructor(length: number) {
    this.#length = length;
  }

  digit(at: number): void {
    if (this.#digits > 0 && at - this.#last > REACH) this.end(at, this.#from);
    if (this.#digits === 0) this.#first = at;
    this.#last = at;
    this.#digits += 1;
    this.#row += 1;
    if (this.#row >= MIN_DIGITS) this.#pure = true;
  }

  letter(): void {
    this.#row = 0;
  }

  end(limit: number, from: number): void {
    if (this.#pure || this.#digits >= MIN_MIXED_DIGITS) {
      this.#spans.push({
        start: Math.max(this.#from, this.#first - REACH),
        end: Math.min(limit, this.#last + 1 + REACH),
        pure: this.#pure,
      });
    }
    this.#from = from;
    this.#digits = 0;
    this.#row = 0;
    this.#pure = false;
  }

  finish(): Stretch[] {
    this.end(this.#length, this.#length);
    return this.#spans;
  }
}
