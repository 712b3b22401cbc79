import {
  BETWEEN_DIGITS,
  DIGIT,
  ENCODED,
  isHexDigit,
  KINDS,
  MARK,
  mayBeEncoded,
  MIN_DIGITS,
  MIN_MIXED_DIGITS,
  MIN_WRAPPED,
} from './features.ts';
import type { Plan } from './plan.ts';
import type { Span } from './types.ts';

const QUOTE = 0x22;
const PERCENT = 0x25;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** What may stand between a key and its colon, written in whatever depth of strings. */
const SPACES = /(?:[ \n\r\t]|\\+[nrt])*/y;

/**
 * One pass over the text of a message, through all strings of JSON in it at once. It is plain where its escapes
 * only part words from one another, so that every word of every value stands in it as it is; where no number has
 * the shape of one that is looked for; and where no key selects its value.
 */
export class Surface {
  /** Runs that may be base64 or hex. */
  readonly runs: Span[] = [];
  readonly #plan: Plan;
  readonly #text: string;
  readonly #wantsKeys: boolean;
  readonly #wantsNumbers: boolean;
  #quote = -1;
  #quoteSlashes = 0;
  #runStart = 0;
  #runKinds = 0;
  #stretchStart = 0;
  #digits = 0;
  /** Digits since the last letter, and whether there were ever as many of them as any number has. */
  #row = 0;
  #isPure = false;

  constructor(plan: Plan, text: string) {
    this.#plan = plan;
    this.#text = text;
    this.#wantsKeys = plan.wantsKeys;
    this.#wantsNumbers = plan.matcher.wantsNumbers;
  }

  /** Goes through the text, once. */
  isPlain(): boolean {
    const text = this.#text;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      const kind = KINDS[code] ?? 0;
      if ((kind & ENCODED) !== 0) this.#runKinds |= kind;
      else this.#endRun(at);
      if ((kind & (ENCODED | BETWEEN_DIGITS)) !== 0) {
        this.#count(kind);
        continue;
      }
      if (!this.#endStretch(at)) return false;
      if (code === QUOTE && !this.#endString(at, 0)) return false;
      if (kind !== MARK) continue;
      const next = this.#behindMark(at, code);
      if (next === undefined) return false;
      at = next - 1;
      this.#runStart = next;
      this.#stretchStart = next;
    }
    this.#endRun(text.length);
    return this.#endStretch(text.length);
  }

  #count(kind: number): void {
    if ((kind & DIGIT) !== 0) {
      this.#digits += 1;
      this.#row += 1;
      if (this.#row === MIN_DIGITS) this.#isPure = true;
    } else if ((kind & BETWEEN_DIGITS) === 0) this.#row = 0;
  }

  #endRun(at: number): void {
    if (mayBeEncoded(at - this.#runStart, this.#runKinds)) this.runs.push({ start: this.#runStart, end: at });
    this.#runStart = at + 1;
    this.#runKinds = 0;
  }

  /** A stretch ends at what no number holds, in which none looks for a neighbour either. */
  #endStretch(at: number): boolean {
    const start = this.#stretchStart;
    const isPure = this.#isPure;
    const mayBeNumber = isPure || this.#digits >= MIN_MIXED_DIGITS;
    this.#stretchStart = at + 1;
    this.#digits = 0;
    this.#row = 0;
    this.#isPure = false;
    if (!mayBeNumber || !this.#wantsNumbers) return true;
    return !this.#plan.matcher.mayHoldNumber(this.#text.slice(start, at), isPure);
  }

  /** The offset behind a percent sign or an escape that hides nothing; undefined where it may hide something. */
  #behindMark(at: number, code: number): number | undefined {
    if (code === BACKSLASH) return this.#behindEscape(at);
    const hides =
      code !== PERCENT ||
      (isHexDigit(this.#text.charCodeAt(at + 1)) && isHexDigit(this.#text.charCodeAt(at + 2)));
    return hides ? undefined : at + 1;
  }

  /**
   * An odd number of backslashes and a letter is a line end or a tab in every reading. An even number would be
   * backslashes in one reading and a line end in another.
   */
  #behindEscape(at: number): number | undefined {
    let end = at;
    while (this.#text.charCodeAt(end) === BACKSLASH) end += 1;
    const letter = this.#text.charAt(end);
    if (letter === '"') return this.#endString(end, end - at) ? end + 1 : undefined;
    if ((end - at) % 2 === 0 || !'nrt'.includes(letter)) return undefined;
    return this.#isWrapped(at) ? undefined : end + 1;
  }

  /** Whether a run ends here, at the end of a line, that may go on in the next one. */
  #isWrapped(at: number): boolean {
    const last = this.runs.at(-1);
    return last?.end === at && last.end - last.start >= MIN_WRAPPED;
  }

  /** At a quote with so many backslashes before it: false where it ends a key that selects, or may. */
  #endString(at: number, slashes: number): boolean {
    const opened = this.#quote;
    const sameDepth = this.#quoteSlashes === slashes;
    this.#quote = at;
    this.#quoteSlashes = slashes;
    if (!this.#wantsKeys || !this.#isBeforeColon(at + 1)) return true;
    // A quote or a backslash in a key shows in the number of backslashes, or between the quotes.
    const key = this.#text.slice(opened + 1, at - slashes);
    if (!sameDepth || key.includes('\\')) return false;
    const { uses, secretName } = this.#plan.factsOf(key);
    return uses.length === 0 && !secretName;
  }

  #isBeforeColon(from: number): boolean {
    if (this.#text.charCodeAt(from) === COLON) return true;
    SPACES.lastIndex = from;
    SPACES.test(this.#text);
    return this.#text.charCodeAt(SPACES.lastIndex) === COLON;
  }
}
