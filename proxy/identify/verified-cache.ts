import { hash } from 'node:crypto';
import { Lru } from '../../lib/lru.ts';
import type { Caller } from '../exchange.ts';

/** So that a key that was withdrawn, or a clock that was wrong, does not live on for long. */
const MAX_AGE_MS = 60_000;

interface Entry {
  readonly caller: Caller;
  readonly until: number;
}

/** Callers whose token was verified a moment ago, so that a busy client does not pay for the signature every time. */
export interface VerifiedCache {
  get(token: string): Caller | undefined;
  /** `expiresAt`: milliseconds since the epoch. */
  set(token: string, caller: Caller, expiresAt: number): void;
}

/** Keeps no token, only its SHA-256; at most `size` entries, the least recently used goes first. */
export function createVerifiedCache(size: number, now: () => number): VerifiedCache {
  const entries = new Lru<string, Entry>(size);
  return {
    get: (token) => {
      const key = keyOf(token);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.until > now()) return entry.caller;
      entries.delete(key);
      return undefined;
    },
    set: (token, caller, expiresAt) => {
      entries.set(keyOf(token), { caller, until: Math.min(expiresAt, now() + MAX_AGE_MS) });
    },
  };
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64');
}
