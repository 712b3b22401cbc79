/**
 * One session at a time at the server, so that it is certain whose its outbound calls are. Calls of one session go
 * together: one may be needed to end another, as when a model that the server asks makes a call of its own.
 */
import type { Clock } from '../../lib/clock.ts';
import { Refusal } from '../refusal.ts';

/** More than this many calls do not wait. */
const MAX_WAITING = 1_000;
/** After this long, others than the session whose turn it is are waited for no longer. */
const WAIT_MS = 60_000;
/** After this long, new calls of the session whose turn it is line up behind the others. */
const FAIR_AFTER_MS = 10_000;

interface Waiting {
  readonly session: string;
  readonly since: number;
  readonly start: () => void;
}

export class Turns {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #session: string | undefined;
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is the session's turn, to the function that ends the call's part in it. Throws a Refusal. */
  async enter(session: string, signal: AbortSignal): Promise<() => void> {
    if (!this.#mayStart(session)) await this.#wait(session, signal);
    else this.#start(session);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#running -= 1;
      if (this.#running === 0) this.#next();
    };
  }

  #mayStart(session: string): boolean {
    if (this.#running === 0) return true;
    if (this.#session !== session) return false;
    const [first] = this.#waiting;
    return first === undefined || this.#clock.now() - first.since < FAIR_AFTER_MS;
  }

  #start(session: string): void {
    this.#session = session;
    this.#running += 1;
  }

  async #wait(session: string, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) throw full();
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiting: Waiting = { session, since: this.#clock.now(), start: () => resolve(undefined) };
    const abort = (): void => reject(signal.reason);
    const cancelTimer = this.#clock.after(WAIT_MS, () => reject(late()));
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.push(waiting);
    try {
      await promise;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', abort);
      const place = this.#waiting.indexOf(waiting);
      if (place >= 0) this.#waiting.splice(place, 1);
    }
  }

  /** The session that waited longest, with all its calls. */
  #next(): void {
    this.#session = undefined;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const started = this.#waiting.filter(({ session }) => session === first.session);
    for (const waiting of started) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#start(waiting.session);
      waiting.start();
    }
  }
}

function full(): Refusal {
  return new Refusal(
    'turn_unavailable',
    `${MAX_WAITING} calls wait already for their turn with a credential that callers of this gateway share; try again later.`,
    { status: 503, as: -32603 },
  );
}

function late(): Refusal {
  return new Refusal(
    'turn_unavailable',
    `The call waited ${WAIT_MS / 1000} s for its turn with a credential that callers of this gateway share, and others were at work all the while; try again.`,
    { status: 503, as: -32603 },
  );
}
