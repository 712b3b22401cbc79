import { expect, test } from 'vitest';
import type { ApprovalView } from '#control';
import { callerNamed } from '../../test/fixtures/caller.ts';
import { manualClock } from '../../test/fixtures/manual-clock.ts';
import type { Approvals } from '../control/approvals.ts';
import type { Authorized, ClientRequest, Era } from '../exchange.ts';
import type { Reply } from '../reply.ts';
import { waitFor } from './wait.ts';

const MINUTE = 60_000;

/** Waits for a decision that nobody makes, and tells how long, for what, and what the client heard meanwhile. */
async function undecided(era: Era, params: Readonly<Record<string, unknown>>) {
  const clock = manualClock();
  const heard: string[] = [];
  const waits: number[] = [];
  const nobody = (): never => {
    throw new Error('Nothing but waiting is asked for here.');
  };
  const view = pendingUntil(clock.now() + 15 * MINUTE);
  const approvals: Approvals = {
    wait: (_id, ms) => {
      waits.push(ms);
      clock.advance(ms);
      return Promise.resolve(view);
    },
    ...{ demand: nobody, consume: nobody, outcome: nobody, cancel: nobody },
  };
  const reply: Reply = {
    gone: new AbortController().signal,
    keepAlive: () => void heard.push('beat'),
    event: (text) => void heard.push(text),
    ...{ begin: nobody, hint: nobody, answer: nobody, suspend: nobody },
  };
  const cancelled = new AbortController().signal;
  await waitFor(view, call(era, params), { approvals, reply, cancelled, now: () => clock.now() });
  return { heard, waits };
}

function pendingUntil(at: number): ApprovalView {
  return { id: 'orders-1', phase: 'Pending', expiresAt: new Date(at).toISOString(), decidedBy: [] };
}

function call(era: Era, params: Readonly<Record<string, unknown>>): Authorized<ClientRequest> {
  const target = { kind: 'tool', name: 'query' } as const;
  return {
    ...{ exchange: 'e', at: 0, authorized: true, caller: callerNamed('sam') },
    session: { id: 's', era, revision: era === 'modern' ? '2026-07-28' : '2025-11-25' },
    message: {
      kind: 'request',
      id: 1,
      method: 'tools/call',
      target,
      params,
      text: JSON.stringify({ params }),
    },
  };
}

test('a legacy client hears every 12 s that the call waits, and is told before its own 60 s are over', async () => {
  const { heard, waits } = await undecided('legacy', { _meta: { progressToken: 'p' } });
  expect(waits).toEqual([12_000, 12_000, 12_000, 12_000]);
  expect(heard.filter((one) => one === 'beat')).toHaveLength(4);
  const progress = heard.flatMap((one): unknown => (one === 'beat' ? [] : JSON.parse(one)));
  expect(progress).toMatchObject(
    [-0.999, -0.998, -0.997, -0.996].map((value) => ({
      method: 'notifications/progress',
      params: { progressToken: 'p', progress: value },
    })),
  );
});

test('a legacy client that asked for no progress hears comments alone', async () => {
  expect((await undecided('legacy', {})).heard).toEqual(['beat', 'beat', 'beat', 'beat']);
});

test('a client of 2026-07-28 is sent round, first soon and then before its 60 s are over', async () => {
  expect(await undecided('modern', {})).toEqual({ heard: [], waits: [2_000] });
  expect(await undecided('modern', { requestState: 'x' })).toEqual({ heard: [], waits: [40_000] });
});
