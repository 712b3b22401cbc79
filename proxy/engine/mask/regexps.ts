import type { RE2JS } from 're2js';
import type { LiteralDetector } from './detectors/detector.ts';
import type { Span } from './types.ts';

interface Compiled {
  readonly regexp: RegExp;
  /** Whether a group of the pattern is the value, and not all that matches. */
  readonly hasValue: boolean;
  /** Whether the first group is what stands before the literal. */
  readonly hasBefore: boolean;
}

/** Compiled when first needed, once for all policies: most formats never occur. */
const COMPILED = new WeakMap<LiteralDetector, Compiled>();

function compiled(detector: LiteralDetector): Compiled {
  const known = COMPILED.get(detector) ?? compile(detector);
  COMPILED.set(detector, known);
  return known;
}

/** What stands before the literal is matched backwards from it, so that a match is tried at one place only. */
function compile(detector: LiteralDetector): Compiled {
  const { before, pattern } = detector;
  const hasValue = hasGroup(detector);
  // Without a name for the group, which would be an object for each match.
  const whole = before === undefined ? pattern : `(?<=(${before}))${pattern}`;
  // To ask where groups lie is dear.
  return { regexp: new RegExp(whole, hasValue ? 'dy' : 'y'), hasValue, hasBefore: before !== undefined };
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
  const { regexp, hasValue, hasBefore } = compiled(detector);
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
