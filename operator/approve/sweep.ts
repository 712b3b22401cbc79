/** Writes down what time did, so that whoever waits is told, and forgets what is old. */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { ApprovalRequest } from './object.ts';
import type { ApprovalStore } from './store.ts';
import { atTime, dueAt, isForgotten, type Periods } from './time.ts';

export interface Sweeper {
  /** Returns when nothing is being written any more. */
  close(): Promise<void>;
}

/** After a failed write the sweep is tried again, not at once. */
const RETRY_MS = 5_000;

/** One timer, armed for whichever request is due first. */
export function startSweeper(deps: {
  store: ApprovalStore;
  clock: Clock;
  log: Logger;
  periods: Periods;
}): Sweeper {
  const { store, clock, log, periods } = deps;
  let armedFor = Number.POSITIVE_INFINITY;
  let disarm: () => void = () => undefined;
  let closed = false;
  let sweeping = Promise.resolve();

  const arm = (at: number): void => {
    if (closed || at >= armedFor) return;
    disarm();
    armedFor = at;
    disarm = clock.after(at - clock.now(), start);
  };

  const start = (): void => {
    armedFor = Number.POSITIVE_INFINITY;
    sweeping = sweeping.then(sweep);
  };

  const sweep = async (): Promise<void> => {
    try {
      for (const request of await store.list()) if (!closed) await sweepOne(request);
    } catch (err) {
      log.error({ err }, 'Expired approvals could not be written down; trying again.');
      arm(clock.now() + RETRY_MS);
    }
  };

  const sweepOne = async (request: ApprovalRequest): Promise<void> => {
    const now = clock.now();
    if (isForgotten(request, now, periods)) {
      await store.remove(request.metadata.name);
      return;
    }
    const next = atTime(request, now, periods);
    // Losing the swap is no failure: the winner's write arms the timer anew.
    if (next !== request) await store.update(next);
    else arm(dueAt(request, periods));
  };

  const unwatch = store.watch((request) => arm(dueAt(request, periods)));
  start();
  return {
    close: () => {
      closed = true;
      unwatch();
      disarm();
      return sweeping;
    },
  };
}
