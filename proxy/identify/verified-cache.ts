import { hash } from 'node:crypto';
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
  const entries = new Map<string, Entry>();
  return {
    get: (token) => {
      const key = keyOf(token);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.until <= now()) return undefined;
      entries.set(key, entry);
      return entry.caller;
    },
    set: (token, caller, expiresAt) => {
      entries.set(keyOf(token), { caller, until: Math.min(expiresAt, now() + MAX_AGE_MS) });
      const oldest = entries.keys().next();
      if (entries.size > size && oldest.done !== true) entries.delete(oldest.value);
    },
  };
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64');
}
