import fc from 'fast-check';
import { expect, test } from 'vitest';
import { manualClock } from '../../test/fixtures/manual-clock.ts';
import { runAt } from './schedule.ts';
import { endingWith, isCut, nextStep, type Term } from './term.ts';

const HOUR = 3_600_000;
const term = (changes: Partial<Term> = {}): Term => ({
  from: 0,
  until: HOUR,
  ttlMs: HOUR,
  renewable: true,
  ...changes,
});

test('a lease is renewed near two thirds of its term, never all at the same moment', () => {
  expect(nextStep(term(), 0)).toEqual({ kind: 'renew', at: (HOUR * 2) / 3 });
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.integer({ min: 1, max: 1e12 }),
      (random, ttlMs) => {
        const step = nextStep(term({ until: ttlMs, ttlMs }), random);
        expect(step.kind).toBe('renew');
        if (step.kind === 'none') return;
        expect(step.at).toBeGreaterThan(ttlMs * 0.56);
        expect(step.at).toBeLessThanOrEqual((ttlMs * 2) / 3);
      },
    ),
  );
});

test('what Vault cut at its maximum, or will not renew, is followed by another while it holds', () => {
  const cut = term({ from: HOUR, until: HOUR + 600_000 });
  expect(isCut(cut)).toBe(true);
  expect(nextStep(cut, 0)).toEqual({ kind: 'mint', at: HOUR + 400_000 });
  expect(nextStep(term({ renewable: false }), 0).kind).toBe('mint');
  // Vault counts whole seconds: nine of ten are ten.
  expect(isCut(term({ ttlMs: 10_000, until: 9_000 }))).toBe(false);
});

test('what has no end is left alone, and what hangs on something ends with it', () => {
  expect(nextStep(term({ until: Number.POSITIVE_INFINITY }), 0)).toEqual({ kind: 'none' });
  expect(nextStep(endingWith(term(), 600_000), 0)).toEqual({ kind: 'mint', at: 400_000 });
  expect(endingWith(term(), 2 * HOUR)).toEqual(term());
});

test('a wait of 768 hours is one wait, however long a timer can be', () => {
  const clock = manualClock(0);
  const asked: number[] = [];
  let runs = 0;
  runAt(
    { now: () => clock.now(), after: (ms, run) => (asked.push(ms), clock.after(ms, run)) },
    768 * HOUR * 0.8,
    () => {
      runs += 1;
    },
  );
  clock.advance(768 * HOUR * 0.8 - 1);
  expect(runs).toBe(0);
  clock.advance(1);
  clock.advance(768 * HOUR);
  expect(runs).toBe(1);
  expect(Math.max(...asked)).toBeLessThanOrEqual(2 ** 31 - 1);
  expect(asked.length).toBeLessThan(5);
});

test('a wait that was called off does not run, in its first part or a later one', () => {
  const clock = manualClock(0);
  let runs = 0;
  const cancel = runAt(clock, 2 ** 31 + HOUR, () => (runs += 1));
  clock.advance(2 ** 31);
  cancel();
  clock.advance(10 * HOUR);
  expect(runs).toBe(0);
});
