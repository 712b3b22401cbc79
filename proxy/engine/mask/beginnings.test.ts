import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Beginnings } from './beginnings.ts';

const value = fc.stringMatching(/^[abAB_]{5,20}$/);

function enoughOf(length: number): number {
  return Math.max(4, Math.min(8, Math.ceil(length / 2)));
}

/** By trying every value at every length. */
function slowly(values: readonly string[], text: string): number {
  const end = text.toLowerCase().replaceAll('_', '/');
  const lengths = values.flatMap((one) =>
    Array.from({ length: one.length }, (_, length) => length).filter(
      (length) =>
        length >= enoughOf(one.length) &&
        end.endsWith(one.toLowerCase().replaceAll('_', '/').slice(0, length)),
    ),
  );
  return Math.max(0, ...lengths);
}

test('tells the longest end of a text that begins a live value, however many came and went', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(value, { minLength: 1, maxLength: 60 }),
      fc.stringMatching(/^[abAB_]{0,25}$/),
      fc.nat(),
      fc.nat(20),
      (values, before, which, length) => {
        const live = new Set(values.filter((_, at) => at % 3 !== 0));
        const beginnings = new Beginnings((one) => live.has(one));
        const text = before + (values[which % values.length] ?? '').slice(0, length);
        for (const one of values) {
          beginnings.add(one, one);
          // Asking sorts what is there so far.
          if (one.length % 2 === 0) beginnings.atEndOf(text, () => true);
        }
        expect(beginnings.atEndOf(text, (one) => live.has(one))).toBe(slowly([...live], text));
      },
    ),
    { numRuns: 500 },
  );
});

test('finds the beginning of each of thousands', () => {
  const all = Array.from({ length: 3000 }, (_, at) => `v-user-${Math.imul(at + 1, 0x9e3779b1) >>> 0}-${at}`);
  const beginnings = new Beginnings(() => true);
  for (const one of all) beginnings.add(one, one);
  for (const one of [all[0], all[1500], all[2999]])
    expect(beginnings.atEndOf(`user is ${(one ?? '').slice(0, -1)}`, () => true)).toBe(
      (one ?? '').length - 1,
    );
  expect(beginnings.atEndOf('user is v-user-nobody', () => true)).toBe(0);
});
