import { expect, test } from 'vitest';
import type { Caller } from '../exchange.ts';
import { createVerifiedCache } from './verified-cache.ts';

const caller: Caller = {
  provider: 'staff',
  issuer: 'https://issuer.example',
  subject: 'u-1',
  username: 'alice',
  clientId: undefined,
  groups: [],
  serviceAccount: undefined,
  spiffeId: undefined,
  claims: {},
  anonymous: false,
};

test('the least recently used token is forgotten first', () => {
  const cache = createVerifiedCache(2, () => 0);
  cache.set('a', caller, 1000);
  cache.set('b', caller, 1000);
  cache.get('a');
  cache.set('c', caller, 1000);
  expect(['a', 'b', 'c'].map((token) => cache.get(token) !== undefined)).toEqual([true, false, true]);
});

test('an entry ends with the token or after a minute, whichever is sooner', () => {
  let now = 0;
  const cache = createVerifiedCache(9, () => now);
  cache.set('short', caller, 10_000);
  cache.set('long', caller, 3_600_000);
  now = 9_999;
  expect(cache.get('short')).toBe(caller);
  now = 10_000;
  expect(cache.get('short')).toBeUndefined();
  now = 60_000;
  expect(cache.get('long')).toBeUndefined();
});
