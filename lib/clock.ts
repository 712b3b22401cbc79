/** The clock that a process runs by. Tests pass one that they turn themselves. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once, after `ms` milliseconds; returns what calls it off. Keeps no process alive. */
  after(ms: number, run: () => void): () => void;
}

/** Longer delays overflow in setTimeout and would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), MAX_DELAY_MS));
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * Counts on evenly from the time at which the process started, whatever becomes of the machine's clock: for terms that
 * somebody else measures in seconds.
 */
export const steadyClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after: (ms, run) => systemClock.after(ms, run),
};
