import { RE2JS } from 're2js';
import type { LiteralDetector } from './detectors/detector.ts';
import type { Span } from './types.ts';

/** Compiled when first needed, once for all policies: most formats never occur. */
const REGEXPS = new WeakMap<LiteralDetector, RE2JS>();

export function regexpOf(detector: LiteralDetector): RE2JS {
  const regexp = REGEXPS.get(detector) ?? RE2JS.compile(detector.pattern);
  REGEXPS.set(detector, regexp);
  return regexp;
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
