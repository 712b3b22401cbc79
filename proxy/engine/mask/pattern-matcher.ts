import { RE2JS } from 're2js';
import { AhoCorasick } from './aho-corasick.ts';
import type { Budget } from './budget.ts';
import type {
  BuiltinDetector,
  Detector,
  LiteralDetector,
  MemberDetector,
  NumberDetector,
  PatternDetector,
} from './detectors/detector.ts';
import { numberStretches } from './number-stretches.ts';
import { regexpOf, spansOf } from './regexps.ts';
import type { Found, Span } from './types.ts';

interface Literal {
  readonly text: string;
  readonly of: CompiledLiteral;
}

interface CompiledLiteral {
  readonly detector: LiteralDetector;
  readonly before: number;
  readonly after: number;
}

interface CompiledPattern {
  readonly detector: PatternDetector;
  readonly regexp: RE2JS;
}

const SURROUNDINGS = 64;

/** The commonest value with many digits: a date and time of RFC 3339, which no number looks like. */
const INSTANT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** What ties a pattern to the ends of a text: such a one is tried on every part by itself. */
const ANCHOR = /[\^$]|\\[AzbB]/;

/** Finds what a fixed set of detectors is for, in time linear in the text. */
export class PatternMatcher {
  readonly #literals: readonly Literal[];
  readonly #automaton: AhoCorasick | undefined;
  readonly #numbers: readonly NumberDetector[];
  readonly #mixed: readonly NumberDetector[];
  readonly #patterns: readonly CompiledPattern[];
  readonly #members: readonly MemberDetector[];

  /** Throws what re2js throws where a pattern is not RE2. */
  constructor(detectors: readonly Detector[]) {
    this.#literals = detectors.filter((detector) => detector.cue === 'literal').flatMap(compileLiterals);
    if (this.#literals.length > 0) this.#automaton = new AhoCorasick(this.#literals.map(({ text }) => text));
    this.#numbers = detectors.filter((detector) => detector.cue === 'digits');
    this.#mixed = this.#numbers.filter(({ mixed }) => mixed === true);
    this.#members = detectors.filter((detector) => detector.cue === 'member');
    this.#patterns = detectors
      .filter((detector) => detector.cue === 'pattern')
      .map((detector) => ({ detector, regexp: RE2JS.compile(detector.pattern) }));
  }

  get wantsNumbers(): boolean {
    return this.#numbers.length > 0;
  }

  get wantsMembers(): boolean {
    return this.#members.length > 0;
  }

  /** Whether a pattern of a policy may match somewhere in the text, or in a part of it taken by itself. */
  mayMatch(text: string): boolean {
    return this.#patterns.some(({ detector, regexp }) => ANCHOR.test(detector.pattern) || regexp.test(text));
  }

  get hasPatterns(): boolean {
    return this.#patterns.length > 0;
  }

  /** Whether a detector of literals could match in the text or in a part of it; false is a proof that none does. */
  mayHoldLiteral(text: string): boolean {
    let found = false;
    this.#automaton?.scan(text, (end, index) => {
      if (found) return;
      const literal = this.#stands(text, end, index);
      found = literal !== undefined && mayMatchAround(literal.of, text, end - literal.text.length);
    });
    return found;
  }

  /** Whether a stretch between characters that no number holds has the shape of one that is looked for. */
  mayHoldNumber(stretch: string, pure: boolean): boolean {
    return (pure ? this.#numbers : this.#mixed).some((detector) => mayBeIn(detector, stretch));
  }

  /** Calls back with the offset behind every literal that a detector could begin from. */
  eachCue(text: string, onCue: (end: number) => void): void {
    this.#automaton?.scan(text, (end, index) => {
      if (this.#stands(text, end, index) !== undefined) onCue(end);
    });
  }

  /** What literals lead to. */
  literal(text: string, key: string | undefined, budget: Budget): Found[] {
    budget.spend(text.length);
    const windows = new Map<CompiledLiteral, Span[]>();
    this.#automaton?.scan(text, (end, index) => {
      const literal = this.#stands(text, end, index);
      if (literal === undefined) return;
      const start = end - literal.text.length;
      const { before, after } = literal.of;
      widen(windows, literal.of, {
        start: Math.max(0, start - before - 1),
        end: Math.min(text.length, start + after),
      });
    });
    const found: Found[] = [];
    for (const [compiled, spans] of windows) {
      let looked = 0;
      for (const span of spans) {
        if (span.end <= looked) continue;
        const matches = this.#matches(compiled, text, span, { key, budget });
        looked = matches.end;
        found.push(...matches.found);
      }
    }
    return found;
  }

  /** Numbers; only for texts that have digits enough. */
  numbers(text: string, key: string | undefined, budget: Budget): Found[] {
    if (this.#numbers.length === 0 || INSTANT.test(text)) return [];
    return numberStretches(text).flatMap((stretch) => {
      const detectors = stretch.pure ? this.#numbers : this.#mixed;
      budget.spend(detectors.length * (stretch.end - stretch.start));
      return detectors.flatMap((detector) => numbersIn(detector, text, stretch, key));
    });
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

  #stands(text: string, end: number, index: number): Literal | undefined {
    const literal = this.#literals[index];
    if (literal === undefined) return undefined;
    const start = end - literal.text.length;
    if (text.slice(start, end).toLowerCase() !== literal.text) return undefined;
    const { detector } = literal.of;
    if (detector.mayStand?.(text, start, end) === false) return undefined;
    return mayMatchAt(detector, text, start) ? literal : undefined;
  }

  /** What matches in the window, and how far was looked. */
  #matches(
    compiled: CompiledLiteral,
    text: string,
    { start, end }: Span,
    around: { readonly key: string | undefined; readonly budget: Budget },
  ): { readonly found: Found[]; readonly end: number } {
    around.budget.spend(end - start);
    const within = text.slice(start, end);
    const spans = [...spansOf(regexpOf(compiled.detector), within)];
    // What reaches to the end of the window may go on behind it.
    if (end < text.length && spans.at(-1)?.end === within.length) {
      return this.#matches(
        compiled,
        text,
        { start, end: Math.min(text.length, start + 4 * within.length) },
        around,
      );
    }
    const found = spans
      .map((span) => ({ start: start + span.start, end: start + span.end }))
      .filter((span) => compiled.detector.embedded === true || !isTouched(text, span))
      .flatMap((span) => accept(compiled.detector, text, span, around.key) ?? []);
    return { found, end };
  }
}

/** Whether the detector could see a number in the stretch, whatever stands around that. */
function mayBeIn(detector: NumberDetector, stretch: string): boolean {
  const { mayBe = () => true } = detector;
  const whole = { start: 0, end: stretch.length };
  return numbersIn({ ...detector, valid: mayBe }, stretch, whole, undefined).length > 0;
}

function numbersIn(
  detector: NumberDetector,
  text: string,
  { start, end }: Span,
  key: string | undefined,
): Found[] {
  const found: Found[] = [];
  const part = text.slice(start, end);
  const { pattern } = detector;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(part); match !== null; match = pattern.exec(part)) {
    const value = detector.cut?.(match[0]) ?? match[0];
    const from = start + match.index;
    const one = accept(detector, text, { start: from, end: from + value.length }, key);
    // A number may begin in what only looked like one.
    pattern.lastIndex = match.index + (one === undefined ? 1 : value.length);
    if (one !== undefined) found.push(one);
  }
  return found;
}

function compileLiterals(detector: LiteralDetector): Literal[] {
  const { before, after } = detector.reach ?? { before: 0, after: 512 };
  const of = { detector, before, after };
  return detector.literals.map((text) => ({ text, of }));
}

/** Adds a window; windows that touch become one, so that no character is matched twice. */
function widen(windows: Map<CompiledLiteral, Span[]>, of: CompiledLiteral, window: Span): void {
  const spans = windows.get(of);
  const last = spans?.at(-1);
  if (spans === undefined) windows.set(of, [window]);
  else if (last !== undefined && window.start <= last.end)
    spans[spans.length - 1] = { start: last.start, end: window.end };
  else spans.push(window);
}

function accept(
  detector: BuiltinDetector,
  text: string,
  { start, end }: Span,
  key: string | undefined,
): Found | undefined {
  const value = text.slice(start, end);
  const before = text.slice(Math.max(0, start - SURROUNDINGS), start);
  if (detector.valid !== undefined && !detector.valid(value, { before, next: text.charAt(end), key }))
    return undefined;
  return { start, end, detector, value: detector.normalize?.(value) ?? value };
}

/**
 * Whether the pattern matches around a literal at `start`. The text is JSON: what holds no break stands in it as it is, but
 * what touches it may be an escape, so that is not asked; every other match may be written in another way.
 */
function mayMatchAround({ detector, before, after }: CompiledLiteral, text: string, start: number): boolean {
  if (detector.leastLength === undefined) return true;
  const window = text.slice(Math.max(0, start - before - 1), Math.min(text.length, start + after));
  return regexpOf(detector).test(window);
}

/** A match without space, quotes and backslashes lies within the word around its literal, if it is long enough. */
function mayMatchAt({ leastLength = 0 }: LiteralDetector, text: string, at: number): boolean {
  let start = at;
  let end = at;
  while (end - at < leastLength && isOfWord(text.charCodeAt(end))) end += 1;
  while (end - start < leastLength && isOfWord(text.charCodeAt(start - 1))) start -= 1;
  return end - start >= leastLength;
}

/** Neither space nor quote nor backslash; nor the NaN beyond the ends of a text. */
function isOfWord(code: number): boolean {
  return code > 0x20 && code !== 0x22 && code !== 0x5c;
}

function isTouched(text: string, { start, end }: Span): boolean {
  return isWord(text.charCodeAt(start - 1)) || isWord(text.charCodeAt(end));
}

function isWord(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}
