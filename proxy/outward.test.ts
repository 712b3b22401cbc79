import { expect, test } from 'vitest';
import type { Bundle } from '#bundle';
import { bundleOf } from '../test/fixtures/bundle.ts';
import { callIn } from '../test/fixtures/exchange.ts';
import { manualClock } from '../test/fixtures/manual-clock.ts';
import { createEnter } from './outward.ts';
import { Turns } from './session/turns.ts';
import { WhoseCall } from './session/whose-call.ts';

const never = new AbortController().signal;

function gateway(
  credentials: Bundle['credentials'],
  server: Partial<Bundle['server']> = {},
): {
  enter: ReturnType<typeof createEnter>;
  whoseCall: WhoseCall;
} {
  const bundle = bundleOf({ credentials });
  const whoseCall = new WhoseCall();
  const turns = new Turns(manualClock());
  const enter = createEnter({ ...bundle, server: { ...bundle.server, ...server } }, { whoseCall, turns });
  return { enter, whoseCall };
}

const database: Bundle['credentials'][number] = {
  name: 'db',
  scope: 'Session',
  whenShared: 'Queue',
  source: { devFile: { path: '/db.json' } },
  inject: {
    postgres: { listen: 5432, upstream: { host: 'db.example', port: 5432 }, database: 'orders' },
  },
};

test('while a call is at the server its outbound calls are its own, and the trace it gets names it', async () => {
  const { enter, whoseCall } = gateway([database]);
  const { headers, leave } = await enter(callIn('ana'), {}, never);
  expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(whoseCall.ownerOf({ traceparent: headers['traceparent'] }, 'Refuse').whose).toEqual({
    session: 'ana',
    request: 'ana-1',
  });
  leave();
  expect(() => whoseCall.ownerOf({ traceparent: headers['traceparent'] }, 'Refuse')).toThrow('No caller has');
});

test('a trace of the client’s is kept', async () => {
  const { enter } = gateway([database]);
  const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
  expect((await enter(callIn('ana'), { traceparent }, never)).headers).toEqual({ traceparent });
});

test('a second session waits for the first where a credential is shared, but not to ask what there is', async () => {
  const { enter } = gateway([database]);
  const first = await enter(callIn('ana'), {}, never);
  let second = false;
  const waiting = enter(callIn('bo'), {}, never).then((entered) => {
    second = true;
    return entered;
  });
  await enter(callIn('cy', { method: 'tools/list' }), {}, never);
  expect(second).toBe(false);
  first.leave();
  await waiting;
  expect(second).toBe(true);
});

test.each([
  ['nothing is lent to outbound calls', [], {}],
  ['the pod has a credential of its own', [{ ...database, scope: 'Pod' as const }], {}],
  ['who is not certain is refused', [{ ...database, whenShared: 'Refuse' as const }], {}],
  ['each session has a process of its own', [database], { transport: 'Stdio' as const }],
])('nobody waits where %s', async (_, credentials, server) => {
  const { enter } = gateway(credentials, server);
  await enter(callIn('ana'), {}, never);
  await enter(callIn('bo'), {}, never);
});
