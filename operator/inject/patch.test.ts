import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diff, type Operation } from './patch.ts';

/** RFC 6902 as far as `diff` speaks it, written against the text of the RFC and not against `diff`. */
function apply(document: unknown, operations: readonly Operation[]): unknown {
  let root: unknown = structuredClone(document);
  for (const operation of operations) {
    const steps = operation.path
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop();
    if (last === undefined) {
      if (operation.op === 'remove') throw new Error('removes the document');
      root = operation.value;
      continue;
    }
    let at: unknown = root;
    for (const step of steps) at = member(at, step);
    if (Array.isArray(at)) applyToList(at, Number(last), operation);
    else applyToObject(at, last, operation);
  }
  return root;
}

function member(at: unknown, step: string): unknown {
  if (Array.isArray(at)) return at[Number(step)];
  if (typeof at === 'object' && at !== null && Object.hasOwn(at, step)) return Reflect.get(at, step);
  throw new Error(`nothing at ${step}`);
}

function applyToList(list: unknown[], index: number, operation: Operation): void {
  if (index > list.length || (index === list.length && operation.op !== 'add'))
    throw new Error('out of range');
  if (operation.op === 'add') list.splice(index, 0, operation.value);
  else if (operation.op === 'remove') list.splice(index, 1);
  else list[index] = operation.value;
}

function applyToObject(at: unknown, key: string, operation: Operation): void {
  if (typeof at !== 'object' || at === null) throw new Error(`no object to hold ${key}`);
  if (operation.op !== 'add' && !Object.hasOwn(at, key)) throw new Error(`nothing at ${key}`);
  if (operation.op === 'remove') Reflect.deleteProperty(at, key);
  else
    Object.defineProperty(at, key, {
      value: operation.value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

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
