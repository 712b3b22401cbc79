import { isDigit, isLetter, LOWER, UPPER } from './kinds.ts';
import type { Span } from './types.ts';

/** The digits of the shortest number that is looked for, and of the shortest that a letter begins. */
const MANY = 8;
const FEW = 7;
/** No number that is looked for has more digits in a row. */
const MOST_IN_A_ROW = 19;
/** No number has more characters between two of its digits. */
const MAX_GAP = 2;
/** What a detector looks at beyond the digits of a number: letters of it, and what may not stand there. */
const BEYOND = 4;
/** No number that letters begin is longer. */
const LONGEST_LETTERED = 68;

/** A word of fewer characters is gone through one by one. */
const LONG = 48;
const LETTERS = LOWER | UPPER;

/** Digits in a row before the one letter of a number that is parted by it, and after it at least. */
const BEFORE_LETTER = 6;
const AFTER_LETTER = 3;
/** No number that a letter parts is longer. */
const LONGEST_PARTED = 15;

/** What begins a number with letters, where a word begins, and such a number or a parted one in a word. */
const LETTERED = /^[A-Za-z]{2}[0-9]{2}/;
const INSIDE = /[-+/_](?:[A-Za-z]{2}[0-9]{2}|[0-9]{6}[A-Za-z][0-9]{3})/;

/** Dates, with their hours; numbers with a fraction; addresses of IPv4: the commonest things with many digits. */
const ORDINARY =
  /^(?:[0-9]{4}([-/.])[0-9]{2}\1[0-9]{2}(?: [0-9]{2})?|[0-9]{2}([-/.])[0-9]{2}\2[0-9]{4}(?: [0-9]{2})?|[0-9]+\.[0-9]+|[0-9]{1,3}(?:\.[0-9]{1,3}){3})$/;
const ORDINARY_MOST = 40;

/**
 * `digits`: eight or more without a letter among them. `letter`: seven, and a letter before them. `letters`: what two
 * letters and two digits begin. `parted`: six, a letter, and three or more.
 */
export type NumberKind = 'digits' | 'letter' | 'letters' | 'parted';

/** A part of a text that may hold a number, with what stands next to that. */
export interface Stretch extends Span {
  readonly kind: NumberKind;
  readonly digits: number;
  /** Of these, so many at most follow one another. */
  readonly inARow: number;
  /** Where the number would be: what is before it only stands next to it. */
  readonly at: number;
}

/** Finds the parts of a text that may hold a number: whatever a detector of numbers finds, it finds in one of them. */
export class NumberScan {
  readonly #text: string;
  readonly #onStretch: (stretch: Stretch) => void;
  /** What lies before it is no neighbour: a character that no number has, or an escape, ends there. */
  #from = 0;
  /** Digits without letters among them: where they begin and end, and how many they are. */
  #start = 0;
  #end = 0;
  #digits = 0;
  #inARow = 0;
  /** What comes before the next letters and digits within a long word, among what was searched. */
  #nextLettered = -1;

  constructor(text: string, onStretch: (stretch: Stretch) => void) {
    this.#text = text;
    this.#onStretch = onStretch;
  }

  /** A word with a digit in it. */
  word(start: number, end: number, kinds: number): void {
    if (end - start < LONG || (kinds & LETTERS) === 0) this.#through(start, end);
    else this.#throughLong(start, end);
  }

  #through(start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (!isDigit(this.#text.charCodeAt(at))) {
        if (isNoNumber(this.#text.charCodeAt(at))) this.letters();
        at += 1;
        continue;
      }
      const first = at;
      while (at < end && isDigit(this.#text.charCodeAt(at))) at += 1;
      this.#row(first, at);
    }
  }

  /** The same in fewer looks: between letters that are few characters apart there is no number. */
  #throughLong(start: number, end: number): void {
    let from = this.#letterFrom(start, end);
    this.#through(start, from);
    this.letters();
    while (from + FEW <= end) {
      const at = from + FEW - 1;
      if (isNoNumber(this.#text.charCodeAt(at))) {
        from = at + 1;
        continue;
      }
      let first = at;
      while (first > from && !isNoNumber(this.#text.charCodeAt(first - 1))) first -= 1;
      const last = this.#letterFrom(at, end);
      if (last - first >= FEW || last === end) {
        this.#through(first, last);
        if (last < end) this.letters();
      }
      from = last + 1;
    }
    this.#through(from, end);
    this.#letteredIn(start, end);
  }

  /** Where the first letter is, or the end. */
  #letterFrom(start: number, end: number): number {
    let at = start;
    while (at < end && !isNoNumber(this.#text.charCodeAt(at))) at += 1;
    return at;
  }

  #letteredIn(start: number, end: number): void {
    if (LETTERED.test(this.#text.slice(start, start + 4))) this.#lettered(start);
    while (this.#nextLettered < end) {
      if (this.#nextLettered >= start) this.#inside(this.#nextLettered + 1);
      const from = Math.max(start, this.#nextLettered + 1);
      const next = this.#text.slice(from).search(INSIDE);
      this.#nextLettered = next === -1 ? Infinity : from + next;
    }
  }

  #inside(start: number): void {
    if (isDigit(this.#text.charCodeAt(start))) this.#parted(start);
    else this.#lettered(start);
  }

  #parted(start: number): void {
    this.#tell(start, start + LONGEST_PARTED, 'parted', BEFORE_LETTER);
  }

  #lettered(start: number): void {
    this.#tell(start, start + 2 + LONGEST_LETTERED, 'letters', 2);
  }

  /** A word without a digit. */
  letters(): void {
    if (this.#digits > 0) this.#close();
  }

  /** A character that no number has; what comes next begins at `from`. */
  breakAt(from: number): void {
    if (this.#digits > 0) this.#close();
    this.#from = from;
  }

  end(): void {
    if (this.#digits > 0) this.#close();
  }

  /** Digits in a row. */
  #row(start: number, end: number): void {
    if (this.#digits > 0 && start - this.#end > MAX_GAP) this.#close();
    if (end - start > MOST_IN_A_ROW) {
      if (this.#digits > 0) this.#close();
    } else {
      if (this.#digits === 0) {
        this.#start = start;
        this.#inARow = 0;
      }
      this.#inARow = Math.max(this.#inARow, end - start);
      this.#digits += end - start;
      this.#end = end;
    }
    if (end - start >= 2 && this.#beginsWithLetters(start)) this.#lettered(start - 2);
    if (end - start === BEFORE_LETTER && this.#isPartedAt(end)) this.#parted(start);
  }

  #isPartedAt(at: number): boolean {
    if (!isLetter(this.#text.charCodeAt(at))) return false;
    for (let next = at + 1; next <= at + AFTER_LETTER; next += 1)
      if (!isDigit(this.#text.charCodeAt(next))) return false;
    return true;
  }

  #beginsWithLetters(at: number): boolean {
    if (
      at - this.#from < 2 ||
      !isLetter(this.#text.charCodeAt(at - 1)) ||
      !isLetter(this.#text.charCodeAt(at - 2))
    )
      return false;
    const before = at - this.#from < 3 ? 0 : this.#text.charCodeAt(at - 3);
    return !isDigit(before) && !isLetter(before);
  }

  #close(): void {
    const digits = this.#digits;
    this.#digits = 0;
    if (digits < FEW) return;
    if (digits >= MANY) {
      if (!this.#isOrdinary()) this.#tell(this.#start, this.#end, 'digits', digits);
    } else if (this.#hasLetterBefore()) this.#tell(this.#start, this.#end, 'letter', digits);
  }

  #hasLetterBefore(): boolean {
    const at = this.#start;
    return (
      (at - this.#from >= 1 && isLetter(this.#text.charCodeAt(at - 1))) ||
      (at - this.#from >= 2 && isLetter(this.#text.charCodeAt(at - 2)))
    );
  }

  #isOrdinary(): boolean {
    if (this.#end - this.#start > ORDINARY_MOST || this.#text[this.#start - 1] === '+') return false;
    return ORDINARY.test(this.#text.slice(this.#start, this.#end));
  }

  #tell(start: number, end: number, kind: NumberKind, digits: number): void {
    this.#onStretch({
      start: Math.max(this.#from, start - BEYOND),
      end: Math.min(this.#text.length, end + BEYOND),
      kind,
      digits,
      inARow: this.#inARow,
      at: start,
    });
  }
}

/** Of a word, what is no digit and stands between none. */
function isNoNumber(code: number): boolean {
  return isLetter(code) || code === 0x5f;
}
