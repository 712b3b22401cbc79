import { expect, test } from 'vitest';
import { KnownHistory } from './known-history.ts';

const HOUR_MS = 3_600_000;

test('tells what may still be matched, in the order in which it happened', () => {
  const history = new KnownHistory();
  history.add({ owner: 'a', values: ['one'], at: 0 });
  history.add({ owner: 'b', values: ['two'], at: 1 });
  history.add({ owner: 'a', values: ['three'], at: 2 });
  expect(history.all.map(({ values }) => values[0])).toEqual(['one', 'two', 'three']);
});

test('keeps no value that nobody holds for long', () => {
  const history = new KnownHistory();
  history.add({ owner: 'a', values: ['one'], at: 0 });
  history.add({ owner: 'a', values: ['two'], at: 1 });
  history.add({ owner: 'a', values: ['three'], at: 3 * HOUR_MS });
  expect(history.all.map(({ values }) => values[0])).toEqual(['two', 'three']);
  history.add({ owner: 'a', values: [], at: 4 * HOUR_MS });
  history.add({ owner: 'a', values: [], at: 7 * HOUR_MS });
  history.add({ owner: 'b', values: ['other'], at: 10 * HOUR_MS });
  expect(history.all.map(({ owner }) => owner)).toEqual(['b']);
});
