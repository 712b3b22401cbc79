import { accept } from './accept.ts';
import { AhoCorasick } from './aho-corasick.ts';
import type { Budget } from './budget.ts';
import type { LiteralDetector } from './detectors/detector.ts';
import { isDigit, isLetter } from './kinds.ts';
import { hasGroup, matchAt } from './regexps.ts';
import { endOfString } from './tokens.ts';
import type { Found, Span } from './types.ts';
import { Words } from './words.ts';

/** What it costs to try a pattern at a place, whatever comes of it, and to look at what it matched. */
const WORK_PER_TRY = 64;
const WORK_PER_MATCH = 128;

/** How far a try goes that nothing else bounds. */
const FAR = 64;

interface Literal {
  readonly length: number;
  readonly detector: LiteralDetector;
  /** Whether the value begins with it, so that what touches it touches the value. */
  readonly beginsValue: boolean;
  /** Among the detectors. */
  readonly number: number;
}

/** Finds what has a literal in each of its matches: all literals in one pass, and a pattern only around one. */
export class LiteralMatcher {
  readonly #literals: readonly Literal[];
  readonly #automaton: AhoCorasick | undefined;

  constructor(detectors: readonly LiteralDetector[]) {
    const pairs = detectors.flatMap((detector, number) =>
      detector.literals.map((text) => ({
        text,
        literal: { length: text.length, detector, number, beginsValue: beginsValue(detector) },
      })),
    );
    this.#literals = pairs.map(({ literal }) => literal);
    if (pairs.length > 0) this.#automaton = new AhoCorasick(pairs.map(({ text }) => text));
  }

  /** Every match; those of one detector do not overlap. */
  find(text: string, key: string | undefined, budget: Budget): Found[] {
    const found: Found[] = [];
    const lookedTo: number[] = [];
    budget.spend(text.length);
    this.#eachCandidate(text, ({ detector, number }, start, far) => {
      if (start < (lookedTo[number] ?? 0)) return undefined;
      const match = matchAt(detector, text, start);
      budget.spend(WORK_PER_TRY + (match === undefined ? far : WORK_PER_MATCH + match.tried));
      if (match === undefined || isTouched(detector, text, match)) return undefined;
      const one = accept(detector, text, match, key);
      if (one === undefined) return undefined;
      found.push(one);
      lookedTo[number] = match.end;
      return undefined;
    });
    return found;
  }

  /**
   * Where matches may begin in a JSON text, in order, at a character of their literal: in each string the first. What holds
   * no break stands in it as it is, but what touches that may be an escape; every other match may be written in another way.
   */
  marksIn(text: string, budget: Budget): number[] {
    const marks: number[] = [];
    budget.spend(text.length);
    this.#eachCandidate(text, ({ detector }, start, far) => {
      if (detector.leastLength !== undefined) {
        budget.spend(WORK_PER_TRY + far);
        if (matchAt(detector, text, start) === undefined) return undefined;
      }
      marks.push(start);
      // Literals stand in strings alone.
      return endOfString(text, start);
    });
    return marks;
  }

  /** `far`: how many characters a try may go through that comes to nothing. */
  #eachCandidate(
    text: string,
    onCandidate: (literal: Literal, start: number, far: number) => number | undefined,
  ): void {
    const words = new Words(text);
    this.#automaton?.scan(text, (end, index) => {
      const literal = this.#literals[index];
      if (literal === undefined) return undefined;
      const { detector, length } = literal;
      const start = end - length;
      if (literal.beginsValue && isWord(text.charCodeAt(start - 1)) && !mayBeEscape(text, start))
        return undefined;
      if (detector.mayStand?.(text, start, end) === false) return undefined;
      const { leastLength, tries = FAR } = detector;
      if (leastLength === undefined) return onCandidate(literal, start, tries);
      if (words.lengthAt(start) < leastLength) return undefined;
      return onCandidate(literal, start, Math.min(tries, words.end - start));
    });
  }
}

/** Characters of an escape of JSON. */
const ESCAPE = 6;

/** Whether what stands before `at` may be an escape, and no letter or digit. */
function mayBeEscape(text: string, at: number): boolean {
  return text.slice(Math.max(0, at - ESCAPE), at).includes('\\');
}

function beginsValue(detector: LiteralDetector): boolean {
  return detector.before === undefined && detector.embedded !== true && !hasGroup(detector);
}

/** Whether letters or digits go on where the value ends, so that it is something else. */
function isTouched({ embedded }: LiteralDetector, text: string, { start, end }: Span): boolean {
  return embedded !== true && (isWord(text.charCodeAt(start - 1)) || isWord(text.charCodeAt(end)));
}

function isWord(code: number): boolean {
  return isDigit(code) || isLetter(code);
}
