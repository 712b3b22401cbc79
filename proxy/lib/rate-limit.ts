/** Calls a minute for each key: a token bucket that holds one minute's worth. */
import { Lru } from '../../lib/lru.ts';

/** A flood of new keys cannot grow without bound. */
const MAX_KEYS = 50_000;
const MINUTE_MS = 60_000;

interface Bucket {
  tokens: number;
  at: number;
}

export class RateLimit {
  readonly #buckets = new Lru<string, Bucket>(MAX_KEYS);
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one call; 0 when it may go on, else the seconds until it might. */
  take(key: string, perMinute: number): number {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: perMinute, at: now };
    bucket.tokens = Math.min(perMinute, bucket.tokens + ((now - bucket.at) * perMinute) / MINUTE_MS);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 60) / perMinute);
    bucket.tokens -= 1;
    return 0;
  }
}
