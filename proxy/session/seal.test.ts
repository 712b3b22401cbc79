import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSealer } from './seal.ts';

const key = (id: string) => ({ id, key: randomBytes(32).toString('base64') });

test('what was sealed opens again, for its purpose and its gateway alone', () => {
  const keys = [key('a')];
  const sealer = createSealer('tools/orders', keys);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const sealed = sealer.seal('session', text);
      expect(sealed).toMatch(/^[\x21-\x7e]+$/);
      expect(sealer.open('session', sealed)).toBe(text);
      expect(sealer.open('requestState', sealed)).toBeUndefined();
      expect(createSealer('tools/other', keys).open('session', sealed)).toBeUndefined();
    }),
  );
});

test('a change of one character does not open', () => {
  const sealer = createSealer('tools/orders', [key('a')]);
  const sealed = sealer.seal('session', 'subject');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    expect(sealer.open('session', changed)).toBeUndefined();
  }
});

test.for(['', 'x', 'not base64 !', 'AAAA', `${'A'.repeat(40)}=`])('garbage %j does not open', (text) => {
  expect(createSealer('g', [key('a')]).open('session', text)).toBeUndefined();
});

test('a rotated key still opens, and new things are sealed with the new one', () => {
  const [old, young] = [key('old'), key('young')];
  const sealed = createSealer('g', [old]).seal('session', 's');
  const rotated = createSealer('g', [young, old]);
  expect(rotated.open('session', sealed)).toBe('s');
  expect(createSealer('g', [old]).open('session', rotated.seal('session', 's'))).toBeUndefined();
});
