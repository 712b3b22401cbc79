import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from './secret.ts';

test('a secret shows itself to reveal() and to nothing else', () => {
  const secret = new Secret('hunter2');
  const seen = [
    String(secret),
    secret.toString(),
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
    inspect(new Error('x', { cause: { secret } })),
    JSON.stringify(Object.entries(secret)),
  ];
  expect(seen.join()).not.toContain('hunter2');
  expect(secret.reveal()).toBe('hunter2');
});
