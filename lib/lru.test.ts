import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lru } from './lru.ts';

test('what was used last is kept, what was used longest ago is forgotten', () => {
  const lru = new Lru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  expect(lru.get('a')).toBe(1);
  lru.set('c', 3);
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3]);
});

test('it never tells anything but what was said last', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer())), (writes) => {
      const [lru, all] = [new Lru<number, number>(4), new Map<number, number>()];
      for (const [key, value] of writes) {
        lru.set(key, value);
        all.set(key, value);
        for (let known = 0; known < 10; known += 1)
          expect([undefined, all.get(known)]).toContain(lru.get(known));
        expect(lru.get(key)).toBe(value);
      }
    }),
  );
});
