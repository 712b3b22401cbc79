import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loosened, NumberShapes } from './number-shapes.ts';
import { PRESETS } from './detectors/index.ts';

const detectors = Object.values(PRESETS)
  .flat()
  .filter((detector) => detector.cue === 'digits');

test.each([
  [/(?<![0-9])[1-79][0-9]{2}([ -]?)19\1[0-9]{3}/g, '(?<![00-9])[01-79][00-9]{2}([ -]?)00\\1[00-9]{3}'],
  [/756\.?[0-9]{4}[A-Z]/, '000\\.?[00-9]{4}[A-Z]'],
])('%s takes any digit for each', (pattern, loose) => {
  expect(loosened(pattern)?.source).toBe(loose);
});

test.each([/[2-9](?!11)[0-9]{9}/, /(?<!7)[0-9]{9}/, /[^1-5][0-9]{9}/])('%s cannot be asked so', (pattern) => {
  expect(loosened(pattern)).toBeUndefined();
});

test('no detector is left out that has a match, whatever was asked before', () => {
  const shapes = new NumberShapes(detectors);
  const examples = detectors.flatMap((detector) => detector.examples().positive);
  const digit = fc.constantFrom(...Array.from('0123456789'));
  const part = fc.oneof(
    fc.constantFrom(...examples),
    fc.stringMatching(/^[ 0-9A-Za-z.()+-]{8,47}$/),
    // The same shapes with other digits.
    fc
      .tuple(fc.constantFrom(...examples), fc.array(digit, { minLength: 40, maxLength: 40 }))
      .map(([example, digits]) => example.replaceAll(/[0-9]/g, () => digits.pop() ?? '0')),
  );
  const few = { digits: 0, inARow: 0 };
  fc.assert(
    fc.property(part, (text) => {
      const tried = shapes.detectorsFor(text, few);
      const matching = detectors.filter(({ pattern }) => new RegExp(pattern.source).test(text));
      if (text.length <= 48) expect(tried).toEqual(expect.arrayContaining(matching));
    }),
    { numRuns: 3000 },
  );
});
