/** How long to wait after failures in a row: doubling, capped, and spread so that many do not come back at once. */
export interface Backoff {
  /** Milliseconds; at least what the server asked for. */
  next(atLeastMs?: number): number;
  /** How many failures there were in a row. */
  failures(): number;
  reset(): void;
}

export interface BackoffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** A server that asks for more than this is not obeyed: we would be gone. */
const MOST_OBEYED_MS = 5 * 60_000;

export function createBackoff({ firstMs, mostMs, random }: BackoffOptions): Backoff {
  let failures = 0;
  return {
    next: (atLeastMs = 0) => {
      const full = Math.min(mostMs, firstMs * 2 ** Math.min(failures, 30));
      failures += 1;
      const floor = Math.min(Math.max(0, atLeastMs), MOST_OBEYED_MS);
      return floor + full / 2 + (random() * full) / 2;
    },
    failures: () => failures,
    reset: () => {
      failures = 0;
    },
  };
}
