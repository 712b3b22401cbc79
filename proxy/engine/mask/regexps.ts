import type { RE2JS } from 're2js';
import type { LiteralDetector } from './detectors/detector.ts';
import type { Span } from './types.ts';

interface Compiled {
  readonly regexp: RegExp;
  /** Whether a group of the pattern is the value, and not all that matches. */
  readonly hasValue: boolean;
  /** Whether the first group is what stands before the literal. */
  readonly hasBefore: boolean;
  /** What stands before the literal, where that is so plain that it is no part of the regular expression. */
  readonly run: Run | undefined;
}

/** Characters of one class, by their code, and how many there may be. */
interface Run {
  readonly holds: readonly boolean[];
  readonly least: number;
  readonly most: number;
}

/** Compiled when first needed, once for all policies: most formats never occur. */
const COMPILED = new WeakMap<LiteralDetector, Compiled>();

function compiled(detector: LiteralDetector): Compiled {
  const known = COMPILED.get(detector);
  if (known !== undefined) return known;
  const made = compile(detector);
  COMPILED.set(detector, made);
  return made;
}

/** What stands before the literal is matched backwards from it, so that a match is tried at one place only. */
function compile(detector: LiteralDetector): Compiled {
  const { before, pattern } = detector;
  const hasValue = hasGroup(detector);
  const run = before === undefined || hasValue ? undefined : runOf(before);
  const hasBefore = before !== undefined && run === undefined;
  // Without a name for the group, which would be an object for each match.
  const whole = hasBefore ? `(?<=(${before}))${pattern}` : pattern;
  // To ask where groups lie is dear.
  return { regexp: new RegExp(whole, hasValue ? 'dy' : 'y'), hasValue, hasBefore, run };
}

const ONE_CLASS = /^(\[[^\]^\\]+\])\{(\d+),(\d+)\}$/;

/** What a pattern says that is a class of characters of ASCII and how often; undefined where it says more. */
function runOf(pattern: string): Run | undefined {
  const [, inside, least, most] = ONE_CLASS.exec(pattern) ?? [];
  if (inside === undefined) return undefined;
  const regexp = new RegExp(inside);
  const holds = Array.from({ length: 128 }, (_, code) => regexp.test(String.fromCharCode(code)));
  return { holds, least: Number(least), most: Number(most) };
}

/** Where the run begins that ends at `end`. */
function beginOf({ holds, least, most }: Run, text: string, end: number): number | undefined {
  let begin = end;
  while (end - begin < most && holds[text.charCodeAt(begin - 1)] === true) begin -= 1;
  return end - begin < least ? undefined : begin;
}

/** Whether the pattern holds a group; classes and escapes hold none. */
export function hasGroup({ pattern }: LiteralDetector): boolean {
  return /\((?!\?)/.test(pattern.replaceAll(/\\.|\[[^\]]*\]/g, ''));
}

/** A match, of which the value is a part, and how many characters there were to go through. */
export interface Match extends Span {
  readonly tried: number;
}

/** What matches with its literal at `at`. */
export function matchAt(detector: LiteralDetector, text: string, at: number): Match | undefined {
  const form = compiled(detector);
  return form.hasValue || form.hasBefore ? matchWithGroups(form, text, at) : matchWhole(form, text, at);
}

/** Without an array of groups for each match. */
function matchWhole({ regexp, run }: Compiled, text: string, at: number): Match | undefined {
  const start = run === undefined ? at : beginOf(run, text, at);
  regexp.lastIndex = at;
  if (start === undefined || !regexp.test(text)) return undefined;
  return { start, end: regexp.lastIndex, tried: regexp.lastIndex - start };
}

function matchWithGroups(
  { regexp, hasValue, hasBefore }: Compiled,
  text: string,
  at: number,
): Match | undefined {
  regexp.lastIndex = at;
  const match = regexp.exec(text);
  if (match === null) return undefined;
  const start = hasBefore ? at - (match[1] ?? '').length : at;
  const end = at + match[0].length;
  const [from, to] = (hasValue ? match.indices?.at(-1) : undefined) ?? [start, end];
  return { start: from, end: to, tried: end - start };
}

/** Where the pattern, or its group where it has one, matches; the next match begins where the last value ended. */
export function* spansOf(regexp: RE2JS, text: string): Generator<Span> {
  const matcher = regexp.matcher(text);
  const group = matcher.groupCount() > 0 ? 1 : 0;
  for (let from = 0; from <= text.length && matcher.find(from);) {
    const start = matcher.start(group);
    const end = matcher.end(group);
    const whole = matcher.end();
    if (start >= 0 && end > start) yield { start, end };
    from = Math.max(from + 1, end > from ? end : whole);
  }
}
