import { expect, test } from 'vitest';
import { silentLogger } from '../../../lib/log.ts';
import { manualClock, type ManualClock } from '../../../test/fixtures/manual-clock.ts';
import type { KubeRequest } from './client.ts';
import { KubeRefused, KubeUnreachable } from './errors.ts';
import { ELECTOR_TIMES, startElector, type Elector } from './lease.ts';

interface Stored {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** One Lease with the API server's compare-and-swap, which can be cut off for a replica. */
class Api {
  lease: Stored | undefined;
  readonly writes: string[] = [];
  readonly away = new Set<string>();

  client(replica: string) {
    return { request: (wanted: KubeRequest) => Promise.resolve().then(() => this.#answer(replica, wanted)) };
  }

  #answer(replica: string, { method, body }: KubeRequest): unknown {
    if (this.away.has(replica)) throw new KubeUnreachable('The API server cannot be reached.');
    if (method === 'GET') {
      if (this.lease === undefined) throw new KubeRefused('none', { status: 404, reason: 'NotFound' });
      return structuredClone(this.lease);
    }
    const next = body as Stored;
    const current = this.lease?.metadata.resourceVersion;
    if (current !== (method === 'POST' ? undefined : next.metadata.resourceVersion)) {
      throw new KubeRefused('changed', { status: 409, reason: 'Conflict' });
    }
    this.writes.push(replica);
    this.lease = { metadata: { resourceVersion: String(Number(current ?? 0) + 1) }, spec: next.spec };
    return this.lease;
  }
}

function replica(api: Api, clock: ManualClock, identity: string): Elector {
  return startElector(
    { namespace: 'gatehouse-system', name: 'gatehouse-operator', identity },
    { client: api.client(identity), clock, log: silentLogger(), random: () => 0.5 },
  );
}

/** Lets `ms` pass in small steps, so that every replica gets its turns. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 500) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('one of two leads, keeps leading, and the Lease says who', async () => {
  const api = new Api();
  const clock = manualClock();
  const replicas = [replica(api, clock, 'a'), replica(api, clock, 'b')];
  await pass(clock, 60_000);
  expect(replicas.filter((one) => one.leads())).toHaveLength(1);
  const leader = replicas[0]?.leads() === true ? 'a' : 'b';
  expect(new Set(api.writes)).toEqual(new Set([leader]));
  expect(api.lease?.spec).toMatchObject({
    holderIdentity: leader,
    leaseDurationSeconds: 15,
    leaseTransitions: 0,
    renewTime: expect.stringMatching(/^2026-01-01T00:0[01]:\d\d\.\d{6}Z$/) as unknown,
  });
  await Promise.all(replicas.map((one) => one.stop()));
});

test('a leader that cannot renew stops leading before another can begin; never do two lead', async () => {
  const api = new Api();
  const clock = manualClock();
  const a = replica(api, clock, 'a');
  await pass(clock, 5_000);
  const b = replica(api, clock, 'b');
  await pass(clock, 5_000);
  expect([a.leads(), b.leads()]).toEqual([true, false]);
  api.away.add('a');
  let ledByNobody = 0;
  for (let gone = 0; gone < 40_000; gone += 500) {
    await pass(clock, 500);
    expect(a.leads() && b.leads()).toBe(false);
    if (!a.leads() && !b.leads()) ledByNobody += 500;
  }
  expect([a.leads(), b.leads()]).toEqual([false, true]);
  expect(ledByNobody).toBeGreaterThan(0);
  expect(api.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  api.away.clear();
  await pass(clock, 20_000);
  expect([a.leads(), b.leads()]).toEqual([false, true]);
  await Promise.all([a.stop(), b.stop()]);
});

test('a process that was stopped for long does not lead when it wakes, before it has asked', async () => {
  const api = new Api();
  const clock = manualClock();
  const a = replica(api, clock, 'a');
  await pass(clock, 5_000);
  api.away.add('a');
  // No turn of the event loop between: what runs next sees the clock of after the pause.
  clock.advance(ELECTOR_TIMES.deadline + 1);
  expect(a.leads()).toBe(false);
  await a.stop();
});

test('who leaves gives the Lease back, and the other leads at its next attempt', async () => {
  const api = new Api();
  const clock = manualClock();
  const a = replica(api, clock, 'a');
  await pass(clock, 5_000);
  const b = replica(api, clock, 'b');
  await pass(clock, 5_000);
  await a.stop();
  expect(a.leads()).toBe(false);
  expect(api.lease?.spec['holderIdentity']).toBe('');
  await pass(clock, ELECTOR_TIMES.retry * 2);
  expect(b.leads()).toBe(true);
  await b.stop();
});

test('a Lease that somebody else took is not taken back by who held it', async () => {
  const api = new Api();
  const clock = manualClock();
  const a = replica(api, clock, 'a');
  await pass(clock, 5_000);
  api.lease = {
    metadata: { resourceVersion: '99' },
    spec: { ...api.lease?.spec, holderIdentity: 'someone' },
  };
  await pass(clock, ELECTOR_TIMES.retry * 2);
  expect(a.leads()).toBe(false);
  await a.stop();
  expect(api.lease.spec['holderIdentity']).toBe('someone');
});
