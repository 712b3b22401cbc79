import type { Budget } from './budget.ts';
import { mayBeEncoded, mayBeWrapped } from './encoded-runs.ts';
import { DIGIT, isHexDigit, MARK, walkWords, type WordSink } from './kinds.ts';
import { NumberScan } from './number-scan.ts';
import type { Plan } from './plan.ts';
import { endOfString } from './tokens.ts';
import type { Span } from './types.ts';

const QUOTE = 0x22;
const PERCENT = 0x25;
const SPACE = 0x20;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** What may stand between a key and its colon, written in whatever depth of strings. */
const SPACES = /(?:[ \n\r\t]|\\+[nrt])*/y;
/** What may part the lines of an encoded text in a string of JSON. */
const BREAK = /^(?:\\[nrt]|[ \t])+$/;
const MAX_BREAK = 24;

/** What one pass over a JSON text sees in all its strings, and in the strings of JSON in them, at once. */
export interface Surface {
  /**
   * Where an escape, a percent sign or a disguise may hide something, where a number may be that is looked for, and where
   * the key of a member of JSON in a string selects its value. Not in order.
   */
  readonly marks: number[];
  /** Runs that may be base64 or hex. */
  readonly runs: readonly Span[];
}

interface SurfaceDeps {
  readonly plan: Plan;
  /** In order: the rest of a string that has one is not looked through. */
  readonly marks: readonly number[];
  readonly budget: Budget;
}

export function surfaceOf(text: string, deps: SurfaceDeps): Surface {
  const scan = new SurfaceScan(text, deps);
  walkWords(text, scan);
  scan.end();
  return scan;
}

class SurfaceScan implements WordSink, Surface {
  readonly marks: number[] = [];
  readonly runs: Span[] = [];
  readonly #plan: Plan;
  readonly #text: string;
  readonly #wantsKeys: boolean;
  readonly #numbers: NumberScan | undefined;
  #quote = -1;
  #quoteSlashes = 0;
  /** Whether a string of JSON itself is open, and where in it the first mark is. */
  #isInString = false;
  #markedFrom = Infinity;
  readonly #given: readonly number[];
  #nextGiven = 0;

  constructor(text: string, { plan, marks, budget }: SurfaceDeps) {
    this.#text = text;
    this.#plan = plan;
    this.#given = marks;
    this.#wantsKeys = plan.wantsKeys;
    const { numbers } = plan.matcher;
    if (!numbers.isEmpty)
      this.#numbers = new NumberScan(text, (stretch) => {
        if (stretch.at < this.#markedFrom && numbers.mayHold(text, stretch, budget)) this.#mark(stretch.at);
      });
  }

  word(start: number, end: number, kinds: number): void {
    if ((kinds & DIGIT) !== 0) this.#numbers?.word(start, end, kinds);
    else this.#numbers?.letters();
    if (mayBeEncoded(this.#text, start, end, kinds)) this.#run({ start, end });
  }

  other(at: number, code: number, kind: number): number {
    const next = this.#next(at, code, kind);
    if (code === QUOTE) this.#endString(at, 0);
    this.#numbers?.breakAt(next);
    return next;
  }

  end(): void {
    this.#numbers?.end();
  }

  /** Of the marks in one string the first is enough: what is left of it need not be looked at. */
  #next(at: number, code: number, kind: number): number {
    if (code === QUOTE) return at + 1;
    if (at >= this.#markedFrom) return endOfString(this.#text, at);
    return kind === MARK ? this.#behindMark(at, code) : at + 1;
  }

  #run(run: Span): void {
    const last = this.runs.at(-1);
    if (last !== undefined && mayBeWrapped(last) && this.#isBreak(last.end, run.start))
      this.marks.push(last.start);
    this.runs.push(run);
  }

  #isBreak(start: number, end: number): boolean {
    return end - start <= MAX_BREAK && BREAK.test(this.#text.slice(start, end));
  }

  /** Where to go on behind a percent sign, a disguise or an escape. */
  #behindMark(at: number, code: number): number {
    if (code === BACKSLASH) return this.#behindEscape(at);
    const hides =
      code !== PERCENT ||
      (isHexDigit(this.#text.charCodeAt(at + 1)) && isHexDigit(this.#text.charCodeAt(at + 2)));
    if (hides) this.#mark(at);
    return at + 1;
  }

  #mark(at: number): void {
    if (at >= this.#markedFrom) return;
    if (this.#isInString) this.#markedFrom = at;
    this.marks.push(at);
  }

  /**
   * An odd number of backslashes and a letter is a line end or a tab in every reading. An even number would be
   * backslashes in one reading and a line end in another.
   */
  #behindEscape(at: number): number {
    let end = at;
    while (this.#text.charCodeAt(end) === BACKSLASH) end += 1;
    const letter = this.#text.charAt(end);
    if (letter === '"') this.#endString(end, end - at);
    else if ((end - at) % 2 === 0 || !'nrt'.includes(letter)) {
      this.#mark(at);
      return end;
    }
    return end + 1;
  }

  /** At a quote with so many backslashes before it: marked where it ends a key that selects, or may. */
  #endString(at: number, slashes: number): void {
    const opened = this.#quote;
    const sameDepth = this.#quoteSlashes === slashes;
    this.#quote = at;
    this.#quoteSlashes = slashes;
    if (slashes % 2 === 0) this.#turn(at);
    if (!this.#wantsKeys || !this.#isBeforeColon(at + 1)) return;
    // A quote or a backslash in a key shows in the number of backslashes, or between the quotes.
    const key = this.#text.slice(opened + 1, at - slashes);
    if (!sameDepth || key.includes('\\') || this.#plan.isPicked(key)) this.marks.push(at);
  }

  /** A string begins or ends. */
  #turn(at: number): void {
    this.#isInString = !this.#isInString;
    this.#markedFrom = Infinity;
    if (!this.#isInString) return;
    while ((this.#given[this.#nextGiven] ?? Infinity) < at) this.#nextGiven += 1;
    this.#markedFrom = this.#given[this.#nextGiven] ?? Infinity;
  }

  #isBeforeColon(from: number): boolean {
    const next = this.#text.charCodeAt(from);
    if (next === COLON) return true;
    // Most strings that are no keys end before a comma or a brace.
    if (next > SPACE && next !== BACKSLASH) return false;
    SPACES.lastIndex = from;
    SPACES.test(this.#text);
    return this.#text.charCodeAt(SPACES.lastIndex) === COLON;
  }
}
