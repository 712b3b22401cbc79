/** Timers that hold whatever is asked of them: setTimeout takes at most 2^31-1 ms and fires at once for more. */
import type { Clock } from '../../lib/clock.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;

/** Calls `run` once, at `at` (milliseconds since the epoch) or at once where that has passed; returns what calls it off. */
export function runAt(clock: Clock, at: number, run: () => void): () => void {
  let cancel: () => void = () => undefined;
  const arm = (): void => {
    const left = at - clock.now();
    cancel = left <= 0 ? clock.after(0, run) : clock.after(Math.min(left, MAX_DELAY_MS), arm);
  };
  arm();
  return () => cancel();
}
