import { RE2JS } from 're2js';
import { accept } from './accept.ts';
import type { Budget } from './budget.ts';
import type { Detector, MemberDetector, PatternDetector } from './detectors/detector.ts';
import { LiteralMatcher } from './literal-matcher.ts';
import { NumberMatcher } from './number-matcher.ts';
import { spansOf } from './regexps.ts';
import type { Found } from './types.ts';

interface CompiledPattern {
  readonly detector: PatternDetector;
  readonly regexp: RE2JS;
}

/** What ties a pattern to the ends of a text: such a one is tried on every part by itself. */
const ANCHOR = /[\^$]|\\[AzbB]/;

/** Finds what a fixed set of detectors is for, in time linear in the text. */
export class PatternMatcher {
  readonly literals: LiteralMatcher;
  readonly numbers: NumberMatcher;
  readonly #members: readonly MemberDetector[];
  readonly #patterns: readonly CompiledPattern[];

  /** Throws what re2js throws where a pattern is not RE2. */
  constructor(detectors: readonly Detector[]) {
    this.literals = new LiteralMatcher(detectors.filter((detector) => detector.cue === 'literal'));
    this.numbers = new NumberMatcher(detectors.filter((detector) => detector.cue === 'digits'));
    this.#members = detectors.filter((detector) => detector.cue === 'member');
    this.#patterns = detectors
      .filter((detector) => detector.cue === 'pattern')
      .map((detector) => ({ detector, regexp: RE2JS.compile(detector.pattern) }));
  }

  get wantsMembers(): boolean {
    return this.#members.length > 0;
  }

  get hasPatterns(): boolean {
    return this.#patterns.length > 0;
  }

  /** Whether a pattern of a policy may match somewhere in the text, or in a part of it taken by itself. */
  mayMatch(text: string): boolean {
    return this.#patterns.some(({ detector, regexp }) => ANCHOR.test(detector.pattern) || regexp.test(text));
  }

  /** A whole value that its key gives away. */
  member(text: string, key: string): Found[] {
    const whole = { start: 0, end: text.length };
    return this.#members.flatMap((detector) => accept(detector, text, whole, key) ?? []);
  }

  /** What the patterns of policies match. */
  userPatterns(text: string, budget: Budget): Found[] {
    const found: Found[] = [];
    for (const { detector, regexp } of this.#patterns) {
      budget.spend(text.length);
      if (!regexp.test(text)) continue;
      for (const { start, end } of spansOf(regexp, text)) {
        budget.checkTime();
        found.push({ start, end, detector, value: text.slice(start, end) });
      }
    }
    return found;
  }
}
