import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, nextAttemptInMs, retryAfterMs } from './retry.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

test('waits grow, stay bounded, and differ', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const wait = backoffMs(attempt, random);
      expect(wait).toBeGreaterThanOrEqual(125);
      expect(wait).toBeLessThanOrEqual(8_000);
      expect(backoffMs(attempt + 1, random)).toBeGreaterThanOrEqual(wait);
    }),
  );
  expect(backoffMs(3, 0)).not.toBe(backoffMs(3, 0.5));
});

test('Retry-After is seconds or a date', () => {
  expect(retryAfterMs('2', now)).toBe(2_000);
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5_000);
  expect(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs('-1', Number.NaN)).not.toBe(-1000);
});

test('no attempt starts after the deadline', () => {
  const attempt = { attempt: 0, retryAfter: undefined, now, random: 0 };
  expect(nextAttemptInMs({ ...attempt, deadline: now + 251 })).toBe(250);
  expect(nextAttemptInMs({ ...attempt, deadline: now + 250 })).toBeUndefined();
  expect(nextAttemptInMs({ ...attempt, retryAfter: '9', deadline: now + 8_000 })).toBeUndefined();
});
