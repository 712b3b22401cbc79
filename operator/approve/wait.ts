/** Long polls: being told of a decision when it falls. */
import type { Clock } from '../../lib/clock.ts';
import type { ApprovalRequest } from './object.ts';
import type { ApprovalStore } from './store.ts';

interface WaitContext {
  readonly store: ApprovalStore;
  readonly clock: Clock;
  readonly get: (id: string) => Promise<ApprovalRequest>;
}

/** The request once it is no longer Pending, or as it is when the time is over or the signal is aborted. */
export async function waitForDecision(
  wanted: { id: string; ms: number; signal: AbortSignal },
  { store, clock, get }: WaitContext,
): Promise<ApprovalRequest> {
  const over = Promise.withResolvers<undefined>();
  const end = (): void => {
    over.resolve(undefined);
  };
  // Watching starts before the first look, so that no decision falls between the two.
  const unwatch = store.watch((request) => {
    if (request.metadata.name === wanted.id && request.status.phase !== 'Pending') end();
  });
  const stopTimer = clock.after(wanted.ms, end);
  wanted.signal.addEventListener('abort', end, { once: true });
  try {
    const first = await get(wanted.id);
    if (first.status.phase !== 'Pending' || wanted.ms <= 0 || wanted.signal.aborted) return first;
    await over.promise;
    return await get(wanted.id);
  } finally {
    unwatch();
    stopTimer();
    wanted.signal.removeEventListener('abort', end);
  }
}
