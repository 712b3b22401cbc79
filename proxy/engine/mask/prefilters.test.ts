/** What spares a look must not change what is found: held against the detectors' patterns on the whole text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget } from './budget.ts';
import type { BuiltinDetector, LiteralDetector, NumberDetector } from './detectors/detector.ts';
import { PRESETS } from './detectors/index.ts';
import { featuresOf } from './features.ts';
import { LiteralMatcher } from './literal-matcher.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import type { Span } from './types.ts';

const all: readonly BuiltinDetector[] = Object.values(PRESETS).flat();
const numbers = all.filter((detector): detector is NumberDetector => detector.cue === 'digits');
const literals = all.filter((detector): detector is LiteralDetector => detector.cue === 'literal');
const examples = all.flatMap((detector) => {
  const { positive, negative } = detector.examples();
  return [...positive, ...negative];
});

const between = fc.constantFrom(
  '',
  ' ',
  '\n',
  ', ',
  '"',
  "'",
  '=',
  ': ',
  '://',
  '@',
  '_',
  '-',
  '/',
  '(',
  ')',
  '+',
  '.',
  'é',
  '${',
);
const digits = fc.stringMatching(/^[0-9][0-9 .()/-]{6,30}[0-9]$/);
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...examples) },
  { weight: 2, arbitrary: digits },
  fc.constantFrom('token', 'password', 'api_key', 'secret', 'https', 'basic ', 'bearer ', '4', 'GB'),
  fc.lorem({ maxCount: 4 }),
  fc.stringMatching(/^[A-Za-z0-9+/_-]{1,60}$/),
);
const text = fc
  .array(fc.tuple(piece, between), { minLength: 1, maxLength: 12 })
  .map((parts) => parts.flat().join(''));

function plain(found: readonly Span[]): Set<string> {
  return new Set(found.map(({ start, end }) => `${start}-${end}`));
}

/** Every number that a pattern finds in the whole text. */
function slowly({ pattern, cut, valid }: NumberDetector, whole: string): Set<string> {
  const found: Span[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(whole); match !== null; match = pattern.exec(whole)) {
    const value = cut?.(match[0]) ?? match[0];
    const span = { start: match.index, end: match.index + value.length };
    const isValid = valid?.(value, { ...span, text: whole, key: undefined }) !== false;
    pattern.lastIndex = isValid ? span.end : match.index + 1;
    if (isValid) found.push(span);
  }
  return plain(found);
}

describe('what is spared', () => {
  it('are no numbers', () => {
    const matchers = numbers.map((detector) => ({ detector, matcher: new PatternMatcher([detector]) }));
    fc.assert(
      fc.property(text, (whole) => {
        for (const { detector, matcher } of matchers)
          expect([
            detector.name,
            plain(matcher.numbers.find(whole, featuresOf(whole).numbers, undefined, new Budget(Infinity))),
          ]).toEqual([detector.name, slowly(detector, whole)]);
      }),
      { numRuns: 1500 },
    );
  });

  it('are no matches around a literal', () => {
    const spared = literals.filter(
      ({ mayStand, leastLength }) => mayStand !== undefined || leastLength !== undefined,
    );
    const pairs = spared.map((detector) => {
      const slow: LiteralDetector = { ...detector, mayStand: () => true, leastLength: 0 };
      return { detector, fast: new LiteralMatcher([detector]), slow: new LiteralMatcher([slow]) };
    });
    fc.assert(
      fc.property(text, (whole) => {
        for (const { detector, fast, slow } of pairs) {
          const found = plain(fast.find(whole, undefined, new Budget(Infinity)));
          expect([detector.name, found]).toEqual([
            detector.name,
            plain(slow.find(whole, undefined, new Budget(Infinity))),
          ]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are no matches elsewhere than around a literal', () => {
    const everywhere = literals.map((detector) => ({
      detector,
      matcher: new LiteralMatcher([detector]),
      whole: new RegExp((detector.before ?? '') + detector.pattern, 'g'),
    }));
    fc.assert(
      fc.property(text, (given) => {
        for (const { detector, matcher, whole } of everywhere) {
          const tried = matcher.find(given, undefined, new Budget(Infinity)).map(({ start }) => start);
          const found = [...given.matchAll(whole)].filter((match) => isFound(detector, given, match));
          for (const { index, 0: matched } of found)
            expect([detector.name, tried.some((at) => at >= index && at < index + matched.length)]).toEqual([
              detector.name,
              true,
            ]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Whether a match of the whole pattern is one that a detector may not pass over. */
function isFound(detector: LiteralDetector, text: string, match: RegExpMatchArray): boolean {
  const value = detector.before === undefined && match.length === 1 ? match[0] : (match[1] ?? match[0]);
  const start = (match.index ?? 0) + match[0].lastIndexOf(value);
  const end = start + value.length;
  const touches = /^[A-Za-z0-9]/.test(text.slice(end)) || /[A-Za-z0-9]$/.test(text.slice(0, start));
  if (detector.embedded !== true && touches) return false;
  return detector.valid?.(value, { text, start, end, key: undefined }) !== false;
}
