import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apply } from '../../test/fixtures/json-patch.ts';
import { diff } from './patch.ts';

test('a patch turns the one document into the other, whatever they are', () => {
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  fc.assert(
    fc.property(json, json, (from, to) => {
      expect(apply(from, diff(from, to))).toEqual(to);
    }),
    { numRuns: 500 },
  );
});

test('lists that gained and lost items in one place keep the rest', () => {
  const item = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(fc.array(item), fc.array(item), fc.array(item), fc.array(item), (start, a, b, end) => {
      const from = [...start, ...a, ...end];
      const to = [...start, ...b, ...end];
      const operations = diff(from, to);
      expect(apply(from, operations)).toEqual(to);
      expect(operations.length).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test('equal documents need no patch', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(diff(value, structuredClone(value))).toEqual([]);
    }),
  );
});

test('an item at the front is one addition', () => {
  expect(diff({ a: [1, 2] }, { a: [0, 1, 2] })).toEqual([{ op: 'add', path: '/a/0', value: 0 }]);
});

test('names with "/" and "~" are escaped, and a member without a value is removed', () => {
  expect(diff({ 'a/b': 1, 'c~d': 2 }, { 'a/b': 3, 'c~d': undefined })).toEqual([
    { op: 'remove', path: '/c~0d' },
    { op: 'replace', path: '/a~1b', value: 3 },
  ]);
});
