import { expect, test } from 'vitest';
import { median } from './figures.ts';

test('the median is the middle, or the mean of the two middles', () => {
  expect(median([3])).toBe(3);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});
