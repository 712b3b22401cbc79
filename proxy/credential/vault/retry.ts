/** When a request to Vault is sent again. Pure: the clock, the dice and the answer are passed in. */

/** Statuses of a Vault that has done nothing: busy, catching up (412), standby (472, 473), sealed or starting (503). */
const NOTHING_DONE = new Set([412, 429, 472, 473, 502, 503, 504]);
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 8_000;

export function isBusy(status: number): boolean {
  return NOTHING_DONE.has(status);
}

/** Exponential from a quarter of a second to eight, of which up to half is left to chance. `random`: [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 16));
  return full * (1 - random / 2);
}

/** What Retry-After asks for (RFC 9110, 10.2.3), in milliseconds from `now`; undefined where it asks for nothing. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

export interface Attempt {
  /** How many were made before this one. */
  readonly attempt: number;
  readonly retryAfter: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** When whoever asked gives up. */
  readonly deadline: number;
  readonly random: number;
}

/** How long to wait before the next attempt, or undefined when it would come too late. */
export function nextAttemptInMs({ attempt, retryAfter, now, deadline, random }: Attempt): number | undefined {
  const wait = Math.max(backoffMs(attempt, random), retryAfterMs(retryAfter, now) ?? 0);
  return now + wait < deadline ? wait : undefined;
}
