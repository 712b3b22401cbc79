/** Keyed work: a key that is due twice is done once, no key is done twice at a time, and failures come back later. */
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { createBackoff, type Backoff } from './backoff.ts';

export interface WorkQueue {
  /** Puts a key in line; one that stands there already, or waits after a failure, is not put there twice. */
  add(key: string): void;
  /** Ends in good order: what runs is waited for, what stands in line is let go. */
  stop(): Promise<void>;
}

export interface WorkQueueOptions {
  /** Does the work of a key; when it rejects, the key comes back after a while. */
  readonly work: (key: string) => Promise<void>;
  readonly parallel: number;
  readonly firstBackoffMs: number;
  readonly mostBackoffMs: number;
  /** What a failure asks for at least, before its key comes back. */
  readonly leastWaitMs?: (error: unknown) => number;
}

export function startWorkQueue(
  options: WorkQueueOptions,
  deps: { clock: Clock; log: Logger; random: () => number },
): WorkQueue {
  const { clock, log, random } = deps;
  const line = new Set<string>();
  const running = new Map<string, Promise<void>>();
  /** Came in line again while it ran. */
  const again = new Set<string>();
  const waiting = new Map<string, () => void>();
  const backoffs = new Map<string, Backoff>();
  let stopped = false;

  const backoffOf = (key: string): Backoff => {
    const backoff =
      backoffs.get(key) ??
      createBackoff({ firstMs: options.firstBackoffMs, mostMs: options.mostBackoffMs, random });
    backoffs.set(key, backoff);
    return backoff;
  };
  const later = (key: string, error: unknown): void => {
    const ms = backoffOf(key).next(options.leastWaitMs?.(error));
    log.warn({ key, reason: sentenceOf(error), againInMs: Math.round(ms) }, 'Work failed and is done again.');
    waiting.set(
      key,
      clock.after(ms, () => {
        waiting.delete(key);
        add(key);
      }),
    );
  };
  const run = async (key: string): Promise<void> => {
    try {
      await options.work(key);
      backoffs.delete(key);
    } catch (error) {
      if (!stopped && !again.has(key)) later(key, error);
    }
    running.delete(key);
    if (again.delete(key)) add(key);
    next();
  };
  const next = (): void => {
    for (const key of line) {
      if (stopped || running.size >= options.parallel) return;
      line.delete(key);
      // Begun in a task of its own, so that whoever adds a key is not its worker.
      running.set(
        key,
        Promise.resolve().then(() => run(key)),
      );
    }
  };
  const add = (key: string): void => {
    if (stopped) return;
    if (running.has(key)) again.add(key);
    else {
      // What is asked for now does not wait for the end of an old failure's pause.
      waiting.get(key)?.();
      waiting.delete(key);
      line.add(key);
      next();
    }
  };

  return {
    add,
    stop: async () => {
      stopped = true;
      for (const disarm of waiting.values()) disarm();
      line.clear();
      await Promise.all(running.values());
    },
  };
}
