/**
 * Election by a Lease of coordination.k8s.io: one of several replicas leads. A holder counts as gone when the Lease
 * was not seen to change for its whole duration, by the clock of whoever looks, so clocks need not agree.
 */
import { z } from 'zod';
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { KubeClient } from './client.ts';
import { isRefused } from './errors.ts';
import { sleep } from './reflector.ts';
import { pathOf } from './resource.ts';

const LEASES = { apiVersion: 'coordination.k8s.io/v1', plural: 'leases' };

const leaseObject = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  spec: z
    .looseObject({ holderIdentity: z.string().nullish(), leaseTransitions: z.number().nullish() })
    .default({}),
});
type LeaseObject = z.output<typeof leaseObject>;

export interface ElectorOptions {
  readonly namespace: string;
  readonly name: string;
  /** Tells replicas apart; another one after every start. */
  readonly identity: string;
  readonly times?: ElectorTimes;
  readonly onChange?: (leads: boolean) => void;
}

/** All in milliseconds. */
export interface ElectorTimes {
  /** How long others wait before they take the place of one who is silent. */
  readonly duration: number;
  /** How long a leader believes in itself after its last renewal; shorter than `duration`. */
  readonly deadline: number;
  readonly retry: number;
}

export const ELECTOR_TIMES: ElectorTimes = { duration: 15_000, deadline: 10_000, retry: 2_000 };

export interface Elector {
  /** Asked before every write: true only while nobody else can have taken over. */
  leads(): boolean;
  /** Ends in good order: a leader gives the Lease back, so that another need not wait. */
  stop(): Promise<void>;
}

interface ElectorDeps {
  readonly client: Pick<KubeClient, 'request'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

export function startElector(options: ElectorOptions, deps: ElectorDeps): Elector {
  const { client, clock, log, random } = deps;
  const { identity } = options;
  const times = options.times ?? ELECTOR_TIMES;
  const path = pathOf(LEASES, { namespace: options.namespace, name: options.name });
  const stopping = new AbortController();
  /** Until when this replica leads; the time before it asked, so that a slow answer makes it no longer. */
  let until = Number.NEGATIVE_INFINITY;
  let told = false;
  let seen: { readonly version: string; readonly at: number } | undefined;
  let disarm: () => void = () => undefined;

  const stopped = (): boolean => stopping.signal.aborted;
  const leads = (): boolean => clock.now() < until;
  const tell = (): void => {
    if (leads() === told) return;
    told = leads();
    log.info({ identity, leads: told }, told ? 'this replica leads' : 'this replica leads no more');
    options.onChange?.(told);
  };
  const lead = (since: number): void => {
    until = since + times.deadline;
    disarm();
    disarm = clock.after(until - clock.now(), tell);
    tell();
  };
  const follow = (): void => {
    until = Number.NEGATIVE_INFINITY;
    disarm();
    tell();
  };

  const read = async (): Promise<LeaseObject | undefined> => {
    try {
      return leaseObject.parse(await client.request({ method: 'GET', path, signal: stopping.signal }));
    } catch (error) {
      if (isRefused(error, 404)) return undefined;
      throw error;
    }
  };
  const spec = (before: LeaseObject | undefined, holder: string): Record<string, unknown> => {
    const now = microTime(clock.now());
    const stays = before?.spec.holderIdentity === holder;
    return {
      ...before?.spec,
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(times.duration / 1000),
      renewTime: now,
      ...(!stays && { acquireTime: now, leaseTransitions: (before?.spec.leaseTransitions ?? -1) + 1 }),
    };
  };
  /** Compare-and-swap: whoever is second is refused with 409. */
  const write = async (before: LeaseObject | undefined, holder: string): Promise<void> => {
    const { namespace, name } = options;
    const body = {
      apiVersion: LEASES.apiVersion,
      kind: 'Lease',
      metadata: before?.metadata ?? { namespace, name },
      spec: spec(before, holder),
    };
    const wanted =
      before === undefined
        ? { method: 'POST' as const, path: pathOf(LEASES, { namespace }) }
        : { method: 'PUT' as const, path };
    await client.request({ ...wanted, body, signal: AbortSignal.timeout(times.deadline) });
  };

  /** Whether another one holds it who was heard of within the duration. */
  const isTaken = (lease: LeaseObject | undefined): boolean => {
    const holder = lease?.spec.holderIdentity ?? '';
    const version = lease?.metadata.resourceVersion ?? '';
    if (seen?.version !== version) seen = { version, at: clock.now() };
    if (holder === '' || holder === identity) return false;
    return clock.now() - seen.at < times.duration;
  };

  const attempt = async (): Promise<void> => {
    const lease = await read();
    if (isTaken(lease)) {
      follow();
      return;
    }
    const since = clock.now();
    await write(lease, identity);
    if (!stopped()) lead(since);
  };

  const run = async (): Promise<void> => {
    while (!stopped()) {
      try {
        await attempt();
      } catch (error) {
        // A leader that cannot renew leads on until its deadline, and not a moment longer.
        if (isRefused(error, 409)) follow();
        if (!stopped()) log.warn({ reason: sentenceOf(error) }, 'The Lease could not be renewed.');
      }
      await sleep(clock, times.retry * (1 + random() / 5), stopping.signal);
    }
  };

  const release = async (): Promise<void> => {
    try {
      const lease = leaseObject.parse(await client.request({ method: 'GET', path }));
      if (lease.spec.holderIdentity === identity) await write(lease, '');
    } catch (error) {
      log.warn(
        { reason: sentenceOf(error) },
        'The Lease could not be given back; another replica waits it out.',
      );
    }
  };

  const ended = run();
  return {
    leads,
    stop: async () => {
      const led = leads();
      stopping.abort();
      follow();
      await ended;
      if (led) await release();
    },
  };
}

/** Kubernetes' MicroTime. */
function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}
