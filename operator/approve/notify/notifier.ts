/**
 * Asks people, and tells them what became of it: at least once, whatever fails. What was told is written down with
 * the request, so that another process goes on where this one ended.
 */
import type { ApprovalPhase } from '../../../crds/control.ts';
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { Problem } from '../../problem.ts';
import { startWorkQueue, type WorkQueue } from '../../source/kubernetes/work-queue.ts';
import type { Approvals } from '../approvals.ts';
import type { ApprovalRequest } from '../object.ts';
import { DeliveryError, destinationOf, tellBy, type Channels } from './channel.ts';
import { begun, errandsOf, failedNow, isDue, phaseToTell, toldNow, type Errand } from './deliveries.ts';

export interface NotifierDeps {
  readonly approvals: Pick<Approvals, 'get' | 'list' | 'noteDelivery' | 'watch'>;
  readonly channels: Channels;
  /** Whether this replica is the one that tells. */
  readonly leads: () => boolean;
  /** Where people sign in to decide a request. */
  readonly linkTo: (id: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

export interface Notifier {
  /** Looks at every request again: this replica has begun to lead. */
  resync(): void;
  /** Waits for what is on its way. */
  stop(): Promise<void>;
}

/** A destination that does not answer holds up its own messages and nobody else's. */
const QUEUE = { parallel: 2, firstBackoffMs: 1_000, mostBackoffMs: 5 * 60_000 };

export function startNotifier(deps: NotifierDeps): Notifier {
  const { approvals, clock, log } = deps;
  const queues = new Map<string, WorkQueue>();
  /** A destination that asked for patience is left alone until then. */
  const pausedUntil = new Map<string, number>();
  /** What each errand that is under way, or waits after a failure, is about to tell. */
  const trying = new Map<string, ApprovalPhase>();
  let stopped = false;

  const look = (request: ApprovalRequest): void => {
    if (stopped || !deps.leads()) return;
    for (const errand of errandsOf(request)) {
      const key = keyOf(request, errand);
      // What is being tried comes back by itself; only other news is worth a try out of turn.
      if (!isDue(request, errand) || trying.get(key) === phaseToTell(request)) continue;
      queueOf(destinationOf(errand.target)).add(key);
    }
  };
  const queueOf = (destination: string): WorkQueue => {
    const queue =
      queues.get(destination) ??
      startWorkQueue(
        {
          ...QUEUE,
          work: (key) => work(key, destination),
          leastWaitMs: patienceIn,
        },
        deps,
      );
    queues.set(destination, queue);
    return queue;
  };
  const work = async (key: string, destination: string): Promise<void> => {
    trying.delete(key);
    const [id = '', channel = ''] = key.split('\n');
    const request = await found(id);
    const errand = dueIn(request, channel);
    if (request === undefined || errand === undefined || !deps.leads()) return;
    trying.set(key, phaseToTell(request));
    const wait = (pausedUntil.get(destination) ?? 0) - clock.now();
    if (wait > 0) throw new DeliveryError(`${destination} asked for patience.`, { retryAfterMs: wait });
    try {
      await tell(request, errand);
      trying.delete(key);
    } catch (error) {
      pausedUntil.set(destination, clock.now() + patienceIn(error));
      throw error;
    }
  };
  const found = async (id: string): Promise<ApprovalRequest | undefined> => {
    try {
      return await approvals.get(id);
    } catch (error) {
      if (error instanceof Problem && error.code === 'not_found') return undefined;
      throw error;
    }
  };
  const tell = async (request: ApprovalRequest, { target, channel, known }: Errand): Promise<void> => {
    const id = request.metadata.name;
    const phase = phaseToTell(request);
    const at = (): string => new Date(clock.now()).toISOString();
    // Written down first: whoever finds it unfinished knows that the message may be there.
    await approvals.noteDelivery(id, channel, (before) => begun(before, { channel, at: at() }));
    const mayRepeat = known?.state === 'Sending';
    const notice = { request, phase, ref: known?.ref, mayRepeat, link: deps.linkTo(id) };
    try {
      const { ref } = await tellBy(deps.channels, target, notice);
      await approvals.noteDelivery(id, channel, (before) =>
        toldNow(before, { channel, phase, at: at(), ref }),
      );
      log.info({ approval: id, channel, phase }, 'approvers told');
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      const { mayHaveArrived } = error;
      const failure = {
        channel,
        at: at(),
        error: sentenceOf(error),
        mayHaveArrived: mayHaveArrived || mayRepeat,
      };
      await approvals.noteDelivery(id, channel, (before) => failedNow(before, failure));
      throw error;
    }
  };

  const resync = (): void => {
    approvals
      .list()
      .then((all) => all.forEach(look))
      .catch((error: unknown) =>
        log.error({ reason: sentenceOf(error) }, 'What is to be told could not be looked up.'),
      );
  };
  const unwatch = approvals.watch(look);
  resync();
  return {
    resync,
    stop: async () => {
      stopped = true;
      unwatch();
      await Promise.all([...queues.values()].map((queue) => queue.stop()));
    },
  };
}

function dueIn(request: ApprovalRequest | undefined, channel: string): Errand | undefined {
  if (request === undefined) return undefined;
  return errandsOf(request).find((errand) => errand.channel === channel && isDue(request, errand));
}

/** What whoever refused asked for; milliseconds. */
function patienceIn(error: unknown): number {
  return error instanceof DeliveryError ? error.retryAfterMs : 0;
}

function keyOf({ metadata }: ApprovalRequest, { channel }: Errand): string {
  return `${metadata.name}\n${channel}`;
}
