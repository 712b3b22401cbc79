import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rule } from '../../crds/bundle.ts';
import { silentLogger } from '../../lib/log.ts';
import { manualClock, type ManualClock } from '../../test/fixtures/manual-clock.ts';
import { createApprovals, type Approvals } from './approvals.ts';
import { openDirectoryStore } from './directory-store.ts';
import { demand, DIGEST, person, rule, ruling } from '../../test/fixtures/approval.ts';
import type { ApprovalRequest } from './object.ts';
import { MAX_PENDING_PER_REQUESTER } from './room.ts';
import type { ApprovalStore } from './store.ts';

const HOUR = 3_600_000;
const periods = { retentionMs: 24 * HOUR, runMs: 11 * 60_000 };
const alice = person('alice');
const bob = person('bob');

let directory: string;
let clock: ManualClock;
let inForce: Rule | undefined;
let store: ApprovalStore;
let approvals: Approvals;

async function start(): Promise<void> {
  store = await openDirectoryStore(directory, silentLogger());
  approvals = approvalsOver(store);
}

function approvalsOver(kept: ApprovalStore): Approvals {
  return createApprovals({
    store: kept,
    rules: {
      rule: (gateway, name) => (gateway === 'tools/orders' && name === rule.name ? inForce : undefined),
    },
    clock,
    log: silentLogger(),
    periods,
  });
}

/** What a new process finds after kill -9: the files, and nothing that was in memory. */
async function restart(): Promise<void> {
  await approvals.close();
  await start();
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-approvals-'));
  clock = manualClock();
  inForce = rule;
  await start();
});

afterEach(async () => {
  await approvals.close();
  await rm(directory, { recursive: true });
});

/** Another replica on the same store, which was told no more than `heard` and what it read and wrote itself. */
function lateReplica(heard: Map<string, ApprovalRequest>): Approvals {
  const latest = async (id: string): Promise<ApprovalRequest | undefined> => {
    const request = await store.latest(id);
    if (request !== undefined) heard.set(id, request);
    return request;
  };
  return approvalsOver({
    ...store,
    get: (id) => Promise.resolve(heard.get(id)),
    latest,
    update: async (request) => {
      const kept = await store.update(request);
      await latest(request.metadata.name);
      return kept;
    },
  });
}

async function open(change: Partial<typeof demand> = {}): Promise<string> {
  return (await approvals.demand({ ...demand, ...change })).metadata.name;
}

async function phaseOf(id: string): Promise<string> {
  return (await approvals.get(id)).status.phase;
}

function differently(digest: string): Partial<typeof demand> {
  return { call: { ...demand.call, digest: digest.repeat(64) } };
}

describe('opening', () => {
  test('a request says who wants what, until when', async () => {
    const request = await approvals.demand(demand);
    expect(request.metadata.name).toMatch(/^orders-[bcdfghjkmnpqrstvwxz2-9]{8}$/);
    expect(request).toMatchObject({
      kind: 'ApprovalRequest',
      metadata: { namespace: 'tools' },
      spec: { gateway: 'orders', expiresAt: '2026-01-01T00:15:00.000Z', decisions: [] },
      status: { phase: 'Pending' },
    });
  });

  test('the same call of the same person finds its request, also when two ask at once', async () => {
    const ids = await Promise.all([open(), open(), open()]);
    expect(new Set(ids).size).toBe(1);
  });

  test('another call, another person and another revision of the rule each get their own', async () => {
    const first = await open();
    const call = await open(differently('e'));
    const caller = await open({ requester: { ...demand.requester, subject: 'somebody-else' } });
    inForce = { ...rule, revision: 'r2' };
    const revision = await open({ rule: { name: rule.name, revision: 'r2' } });
    expect(new Set([first, call, caller, revision]).size).toBe(4);
  });

  test('an approved and a denied request are found again, a consumed and an expired one are not', async () => {
    const approved = await open();
    await approvals.decide(approved, ruling(alice));
    expect(await open()).toBe(approved);
    await approvals.consume(approved, DIGEST);
    const second = await open();
    expect(second).not.toBe(approved);
    await approvals.decide(second, ruling(alice, 'Deny'));
    expect(await open()).toBe(second);
    clock.advance(rule.expiresAfterMs);
    expect(await open()).not.toBe(second);
  });

  test('a rule that the operator does not know, or no longer, opens nothing', async () => {
    await expect(open({ rule: { name: rule.name, revision: 'r0' } })).rejects.toMatchObject({
      code: 'policy_changed',
    });
    await expect(open({ gateway: 'tools/other' })).rejects.toMatchObject({ code: 'policy_changed' });
    inForce = { ...rule, effect: 'Deny' };
    await expect(open()).rejects.toMatchObject({ code: 'policy_changed' });
  });

  test('too many pending calls of one person are refused with a sentence', async () => {
    for (let n = 0; n < MAX_PENDING_PER_REQUESTER; n += 1) {
      await open({ call: { ...demand.call, digest: n.toString(16).padStart(64, '0') } });
    }
    const refused = open(differently('f'));
    await expect(refused).rejects.toMatchObject({ code: 'too_many_pending', status: 429 });
    await expect(refused).rejects.toThrow('50 calls of sam wait for approval already');
  });
});

describe('deciding', () => {
  test('one approver is enough where the rule says so', async () => {
    const id = await open();
    const request = await approvals.decide(id, ruling(alice, 'Approve', 'cleanup agreed'));
    expect(request.status.phase).toBe('Approved');
    expect(request.spec.decisions).toMatchObject([
      { by: 'alice', verdict: 'Approve', comment: 'cleanup agreed' },
    ]);
  });

  test('an approver may be named as a user', async () => {
    const id = await open();
    await approvals.decide(id, ruling(person('root@example.test', [])));
    expect(await phaseOf(id)).toBe('Approved');
  });

  test('who is in no approving group is refused', async () => {
    const id = await open();
    const refused = approvals.decide(id, ruling(person('eve', ['support'])));
    await expect(refused).rejects.toMatchObject({ code: 'not_approver', status: 403 });
    expect(await phaseOf(id)).toBe('Pending');
  });

  test('the requester is refused, under the same subject and under the same name elsewhere', async () => {
    const id = await open();
    const self = demand.requester;
    const elsewhere = { ...self, issuer: 'https://other.test', subject: 'x' };
    const renamed = { ...self, username: 'samuel' };
    for (const who of [self, elsewhere, renamed]) {
      await expect(approvals.decide(id, ruling(who))).rejects.toMatchObject({
        code: 'is_requester',
        status: 403,
      });
    }
    inForce = { ...rule, revision: 'r2', approvers: { ...rule.approvers, notTheRequester: false } };
    const lenient = await approvals.demand({ ...demand, rule: { name: rule.name, revision: 'r2' } });
    await approvals.decide(lenient.metadata.name, ruling(self));
    expect(await phaseOf(lenient.metadata.name)).toBe('Approved');
  });

  test('a quorum counts each person once', async () => {
    inForce = { ...rule, approvers: { ...rule.approvers, count: 2 } };
    const id = await open();
    await approvals.decide(id, ruling(alice));
    expect(await phaseOf(id)).toBe('Pending');
    const again = [alice, { ...alice, subject: 'second-account' }, { ...alice, username: 'alice2' }];
    for (const who of again) {
      await expect(approvals.decide(id, ruling(who))).rejects.toMatchObject({ code: 'already_decided' });
    }
    await approvals.decide(id, ruling(bob));
    expect(await phaseOf(id)).toBe('Approved');
  });

  test('one denial ends it, whatever was approved before', async () => {
    inForce = { ...rule, approvers: { ...rule.approvers, count: 2 } };
    const id = await open();
    await approvals.decide(id, ruling(alice));
    await approvals.decide(id, ruling(bob, 'Deny', 'not on a Friday'));
    expect(await phaseOf(id)).toBe('Denied');
    await expect(approvals.decide(id, ruling(person('carol')))).rejects.toThrow('was denied');
  });

  test('two approvers at once both count, and neither is lost', async () => {
    inForce = { ...rule, approvers: { ...rule.approvers, count: 2 } };
    const id = await open();
    await Promise.all([approvals.decide(id, ruling(alice)), approvals.decide(id, ruling(bob))]);
    const { spec, status } = await approvals.get(id);
    expect(status.phase).toBe('Approved');
    expect(spec.decisions.map(({ by }) => by).sort()).toEqual(['alice', 'bob']);
  });

  test('of an approval and a denial at once exactly one ends it', async () => {
    const id = await open();
    const results = await Promise.allSettled([
      approvals.decide(id, ruling(alice, 'Approve')),
      approvals.decide(id, ruling(bob, 'Deny')),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await approvals.get(id)).spec.decisions).toHaveLength(1);
  });

  test('nobody decides after expiry or under a changed rule', async () => {
    const id = await open();
    inForce = { ...rule, revision: 'r2' };
    await expect(approvals.decide(id, ruling(alice))).rejects.toMatchObject({ code: 'policy_changed' });
    inForce = rule;
    clock.advance(rule.expiresAfterMs);
    await expect(approvals.decide(id, ruling(alice))).rejects.toMatchObject({
      code: 'expired',
      phase: 'Expired',
    });
  });
});

describe('consuming', () => {
  test('of many at once exactly one may run the call', async () => {
    const id = await open();
    await approvals.decide(id, ruling(alice));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => approvals.consume(id, DIGEST)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(approvals.consume(id, DIGEST)).rejects.toMatchObject({
      code: 'already_consumed',
      phase: 'Consumed',
    });
  });

  test('what is pending, denied or expired does not run', async () => {
    const pending = await open();
    await expect(approvals.consume(pending, DIGEST)).rejects.toMatchObject({
      code: 'not_approved',
      phase: 'Pending',
    });
    await approvals.decide(pending, ruling(alice, 'Deny'));
    await expect(approvals.consume(pending, DIGEST)).rejects.toMatchObject({
      code: 'not_approved',
      phase: 'Denied',
    });
    const approved = await open(differently('e'));
    await approvals.decide(approved, ruling(alice));
    clock.advance(rule.expiresAfterMs);
    await expect(approvals.consume(approved, 'e'.repeat(64))).rejects.toMatchObject({ code: 'expired' });
  });

  test('a replica that has not heard of the approval yet looks before it refuses', async () => {
    const id = await open();
    const heard = new Map([[id, await approvals.get(id)]]);
    await approvals.decide(id, ruling(alice));
    const late = lateReplica(heard);
    expect((await late.get(id)).status.phase).toBe('Pending');
    expect((await late.consume(id, DIGEST)).status.phase).toBe('Consumed');
    await expect(late.consume(id, DIGEST)).rejects.toMatchObject({ code: 'already_consumed' });
    expect(await phaseOf(id)).toBe('Consumed');
    await late.close();
  });

  test('an approval is good for its own arguments and its own rule alone', async () => {
    const id = await open();
    await approvals.decide(id, ruling(alice));
    await expect(approvals.consume(id, 'e'.repeat(64))).rejects.toMatchObject({ code: 'digest_mismatch' });
    for (const changed of [undefined, { ...rule, revision: 'r2' }, { ...rule, effect: 'Deny' as const }]) {
      inForce = changed;
      await expect(approvals.consume(id, DIGEST)).rejects.toMatchObject({
        code: 'policy_changed',
        status: 409,
      });
    }
    inForce = rule;
    expect((await approvals.consume(id, DIGEST)).status.phase).toBe('Consumed');
  });

  test('the outcome is noted once; only an unknown one may become known', async () => {
    const id = await open();
    await expect(approvals.finish(id, 'Completed')).rejects.toMatchObject({ code: 'not_approved' });
    await approvals.decide(id, ruling(alice));
    await approvals.consume(id, DIGEST);
    await approvals.finish(id, 'Unknown');
    await approvals.finish(id, 'Failed');
    await approvals.finish(id, 'Failed');
    await expect(approvals.finish(id, 'Completed')).rejects.toMatchObject({ code: 'outcome_settled' });
    expect((await approvals.get(id)).status).toMatchObject({ phase: 'Consumed', outcome: 'Failed' });
  });

  test('a call that never says how it ended has an unknown outcome', async () => {
    const id = await open();
    await approvals.decide(id, ruling(alice));
    await approvals.consume(id, DIGEST);
    clock.advance(periods.runMs);
    expect((await approvals.get(id)).status.outcome).toBe('Unknown');
  });
});

describe('cancelling and waiting', () => {
  const never = new AbortController().signal;

  test('a caller who goes away cancels what is pending and nothing else', async () => {
    const pending = await open();
    await approvals.cancel(pending);
    expect(await phaseOf(pending)).toBe('Cancelled');
    expect(await open()).not.toBe(pending);
    const approved = await open(differently('e'));
    await approvals.decide(approved, ruling(alice));
    await approvals.cancel(approved);
    expect(await phaseOf(approved)).toBe('Approved');
  });

  test('who waits is told of the decision', async () => {
    const id = await open();
    const waiting = approvals.wait(id, HOUR, never);
    await approvals.decide(id, ruling(alice));
    expect((await waiting).status.phase).toBe('Approved');
    expect((await approvals.wait(id, HOUR, never)).status.phase).toBe('Approved');
  });

  test('who waits is told of the expiry, of the end of the wait, and is let go when they hang up', async () => {
    const id = await open();
    const hangUp = new AbortController();
    const gone = approvals.wait(id, HOUR, hangUp.signal);
    const short = approvals.wait(id, 1000, never);
    const long = approvals.wait(id, HOUR, never);
    hangUp.abort();
    expect((await gone).status.phase).toBe('Pending');
    clock.advance(1000);
    expect((await short).status.phase).toBe('Pending');
    clock.advance(rule.expiresAfterMs);
    expect((await long).status.phase).toBe('Expired');
  });

  test('there is no waiting for what is not there', async () => {
    await expect(approvals.wait('orders-none', HOUR, never)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('restarting', () => {
  test('pending, decided and consumed requests are what they were', async () => {
    const pending = await open(differently('a'));
    const approved = await open(differently('b'));
    const consumed = await open(differently('c'));
    await approvals.decide(approved, ruling(alice));
    await approvals.decide(consumed, ruling(alice));
    await approvals.consume(consumed, 'c'.repeat(64));
    await restart();
    expect(await open(differently('a'))).toBe(pending);
    expect(await open(differently('b'))).toBe(approved);
    await expect(approvals.consume(consumed, 'c'.repeat(64))).rejects.toMatchObject({
      code: 'already_consumed',
    });
    await approvals.abandonRunning();
    expect((await approvals.get(consumed)).status).toMatchObject({ phase: 'Consumed', outcome: 'Unknown' });
  });

  test('a write that a crash cut off is as if it had not been, and a foreign file is left alone', async () => {
    const id = await open();
    await writeFile(join(directory, `${id}.json.abc.unfinished`), '{"half');
    await writeFile(join(directory, 'notes.json'), '{}');
    await restart();
    expect(await open()).toBe(id);
    expect((await readdir(directory)).sort()).toEqual(['notes.json', `${id}.json`].sort());
  });

  test('time that passed meanwhile has passed', async () => {
    const id = await open();
    await approvals.close();
    clock.advance(rule.expiresAfterMs);
    await start();
    expect(await phaseOf(id)).toBe('Expired');
  });

  test('a process that closes leaves nothing half written', async () => {
    const begun = Promise.withResolvers<undefined>();
    let ended = false;
    const closing = approvalsOver({
      ...store,
      update: async (request) => {
        begun.resolve(undefined);
        const kept = await store.update(request);
        ended = true;
        return kept;
      },
    });
    await open();
    await approvals.close();
    clock.advance(rule.expiresAfterMs);
    await begun.promise;
    await closing.close();
    expect(ended).toBe(true);
  });

  test('ended requests are forgotten after the retention, others never', async () => {
    const ended = await open();
    await approvals.decide(ended, ruling(alice, 'Deny'));
    const waiting = new Promise<void>((resolve) => {
      store.watch((request) => request.status.phase === 'Expired' && resolve());
    });
    const later = await open(differently('e'));
    clock.advance(rule.expiresAfterMs);
    await waiting;
    expect((await approvals.list()).map(({ metadata }) => metadata.name).sort()).toEqual(
      [ended, later].sort(),
    );
    clock.advance(periods.retentionMs);
    await expect.poll(() => readdir(directory)).toEqual([]);
    expect(await approvals.list()).toEqual([]);
  });
});

test('an update made from an old version is not written', async () => {
  const first = await approvals.demand(demand);
  await approvals.decide(first.metadata.name, ruling(alice));
  expect(await store.update({ ...first, status: { ...first.status, phase: 'Denied' } })).toBeUndefined();
  expect(await phaseOf(first.metadata.name)).toBe('Approved');
});
