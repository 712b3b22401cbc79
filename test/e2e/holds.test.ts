import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  answerOf,
  bearer,
  eventsOf,
  messageOf,
  modernCall,
  openSession,
  type HandSession,
  type Reply,
  type Way,
} from '../fixtures/hand-client.ts';
import { approvalOf, approvals, decide } from './desk.ts';
import { edit, OPEN, startWorld, type World } from './world.ts';

const rule = (name: string, tool: string, approvers: object, expiresAfter = '15m') => ({
  kind: 'ApprovalRule',
  metadata: { name },
  spec: {
    targetRefs: [{ kind: 'McpGateway', name: 'main' }],
    match: { tools: [tool] },
    effect: 'RequireApproval',
    approvers,
    expiresAfter,
  },
});

let world: World;
type Person = Way & { readonly token: string };
let sam: Person;
let dba: Person;
let eve: Person;
beforeAll(async () => {
  world = await startWorld({
    spec: { access: OPEN },
    policies: [
      rule('deletes', 'delete', { groups: ['dba'] }),
      rule('brief', 'brief', { groups: ['dba'] }, '1s'),
    ],
  });
  [sam, dba, eve] = [await world.as('sam', ['dba']), await world.as('dora', ['dba']), await world.as('eve')];
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

let calls = 0;
/** Arguments that no other call has. */
function fresh(): { row: string } {
  calls += 1;
  return { row: `row-${calls}-` };
}
const hold = (
  session: HandSession,
  args: object,
  extra: { id?: string; meta?: object; signal?: AbortSignal } = {},
) =>
  session.request(
    'tools/call',
    { name: 'delete', arguments: args, _meta: extra.meta ?? {} },
    { id: 1, ...extra },
  );
const modern = (way: Way, args: object, more: object = {}, signal?: AbortSignal): Promise<Response> =>
  modernCall(
    way,
    'tools/call',
    { name: 'delete', arguments: args, ...more },
    signal === undefined ? {} : { signal },
  );
const runs = (args: { row: string }): number =>
  world.server.heard.filter(({ body, message }) => message.method === 'tools/call' && body.includes(args.row))
    .length;
const approve = { verdict: 'Approve' } as const;
const result = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ text: z.string() })),
});
const read = (reply: Reply): { isError: boolean; text: string } => {
  const { isError = false, content } = result.parse(reply.result);
  return { isError, text: content[0]?.text ?? '' };
};
const done = { isError: false, text: 'done' };

/** The first round of a 2026-07-28 client: it is sent away with a state. */
async function sentRound(way: Way, args: object): Promise<string> {
  const reply = await messageOf(await modern(way, args));
  expect(reply.result).toMatchObject({ resultType: 'input_required' });
  expect(Object.keys(reply.result ?? {}).sort()).toEqual(['requestState', 'resultType']);
  return z.string().parse(reply.result?.['requestState']);
}

describe('a legacy client', () => {
  test('waits on an open stream, hears of progress it asked for, and gets its answer', async () => {
    const args = fresh();
    const response = await hold(await openSession(sam), args, { meta: { progressToken: 'p' } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const { id } = await approvalOf(world, dba.token, args.row);
    expect(runs(args)).toBe(0);
    expect((await decide(world, dba.token, id, approve)).status).toBe(200);
    const events = await eventsOf(response).rest();
    expect(events[0]?.message).toMatchObject({
      method: 'notifications/progress',
      params: { progressToken: 'p' },
    });
    expect(read(events.at(-1)?.message ?? {})).toEqual(done);
    expect(runs(args)).toBe(1);
    const used = await approvalOf(world, dba.token, args.row, 'Consumed');
    await expect
      .poll(async () => (await approvalOf(world, dba.token, args.row, 'Consumed')).status.outcome)
      .toBe('Completed');
    expect(used.spec.requester.username).toBe('sam');
  });

  test('that hung up finds its approval when it tries again, and it runs once', async () => {
    const args = fresh();
    const hangUp = new AbortController();
    const session = await openSession(sam);
    const response = await hold(session, args, { signal: hangUp.signal });
    const { id } = await approvalOf(world, dba.token, args.row);
    hangUp.abort();
    await expect(response.text()).rejects.toThrow();
    await decide(world, dba.token, id, approve);
    expect((await approvalOf(world, dba.token, args.row, 'Approved')).id).toBe(id);
    expect(runs(args)).toBe(0);
    expect(read(await answerOf(await hold(session, args)))).toEqual(done);
    expect(runs(args)).toBe(1);
    const again = hold(session, args);
    const { id: next } = await approvalOf(world, dba.token, args.row);
    expect(next).not.toBe(id);
    await decide(world, dba.token, next, { verdict: 'Deny' });
    expect(read(await answerOf(await again)).isError).toBe(true);
    expect(runs(args)).toBe(1);
  });

  test('that cancels leaves nothing behind that could run', async () => {
    const args = fresh();
    const session = await openSession(sam);
    const response = await hold(session, args, { id: 'to-cancel' });
    const { id } = await approvalOf(world, dba.token, args.row);
    await session.send({ method: 'notifications/cancelled', params: { requestId: 'to-cancel' } });
    await approvalOf(world, dba.token, args.row, 'Cancelled');
    expect((await decide(world, dba.token, id, approve)).status).toBe(409);
    await response.text();
    expect(runs(args)).toBe(0);
  });

  test('is told why it was denied, by whom', async () => {
    const args = fresh();
    const response = await hold(await openSession(sam), args);
    const { id } = await approvalOf(world, dba.token, args.row);
    await decide(world, dba.token, id, { verdict: 'Deny', comment: 'not on a Friday' });
    const { isError, text } = read(await answerOf(response));
    expect(isError).toBe(true);
    expect(text).toContain('dora');
    expect(text).toContain('not on a Friday');
    expect(runs(args)).toBe(0);
  });

  test('two identical calls at once run once for one approval', async () => {
    const args = fresh();
    const session = await openSession(sam);
    const [one, two] = [hold(session, args, { id: 'a' }), hold(session, args, { id: 'b' })];
    const { id } = await approvalOf(world, dba.token, args.row);
    await Promise.all([one, two]);
    await decide(world, dba.token, id, approve);
    const answers = [read(await answerOf(await one)), read(await answerOf(await two))];
    expect(answers.filter(({ isError }) => !isError)).toEqual([done]);
    expect(answers.find(({ isError }) => isError)?.text).toMatch(/used|run/);
    expect(runs(args)).toBe(1);
    expect(
      (await approvals(world, dba.token)).filter(({ spec }) => spec.call.preview.includes(args.row)),
    ).toHaveLength(1);
  });
});

describe('a client of 2026-07-28', () => {
  test('with the SDK as it comes waits through the rounds', async () => {
    const args = fresh();
    const client = new Client({ name: 'sam', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    const requestInit = { headers: bearer(sam.token) };
    await client.connect(new StreamableHTTPClientTransport(new URL(world.url), { requestInit }));
    const call = client.callTool({ name: 'delete', arguments: args });
    const { id } = await approvalOf(world, dba.token, args.row);
    await decide(world, dba.token, id, approve);
    expect(result.parse(await call).content[0]?.text).toBe('done');
    expect(runs(args)).toBe(1);
    await client.close();
  });

  test('runs once with one state; a replay is refused', async () => {
    const args = fresh();
    const requestState = await sentRound(sam, args);
    const { id } = await approvalOf(world, dba.token, args.row);
    await decide(world, dba.token, id, approve);
    expect(read(await messageOf(await modern(sam, args, { requestState })))).toEqual(done);
    const replayed = await messageOf(await modern(sam, args, { requestState }));
    expect(replayed.error?.code).toBe(-32602);
    expect(replayed.error?.message).toContain('runs once');
    expect(runs(args)).toBe(1);
    expect(world.server.heard.at(-1)?.message.params).not.toHaveProperty('requestState');
  });

  test('neither other arguments, nor another caller, nor another tool, nor a changed state is served', async () => {
    const args = fresh();
    const requestState = await sentRound(sam, args);
    const { id } = await approvalOf(world, dba.token, args.row);
    await decide(world, dba.token, id, approve);
    const changed = `${requestState.slice(0, -1)}${requestState.endsWith('A') ? 'B' : 'A'}`;
    const attempts = [
      modern(sam, { row: `${args.row}x` }, { requestState }),
      modern(eve, args, { requestState }),
      modern(sam, args, { requestState: changed }),
      modern(sam, args, { requestState: 7 }),
      modernCall(sam, 'tools/call', { name: 'other', arguments: args, requestState }),
    ];
    for (const attempt of attempts) expect((await messageOf(await attempt)).error?.code).toBe(-32602);
    expect(runs(args)).toBe(0);
    expect(read(await messageOf(await modern(sam, args, { requestState })))).toEqual(done);
  });

  test('that hangs up has cancelled', async () => {
    const args = fresh();
    const hangUp = new AbortController();
    const call = modern(sam, args, {}, hangUp.signal);
    const { id } = await approvalOf(world, dba.token, args.row);
    hangUp.abort();
    await expect(call).rejects.toThrow();
    await approvalOf(world, dba.token, args.row, 'Cancelled');
    expect((await decide(world, dba.token, id, approve)).status).toBe(409);
    expect(runs(args)).toBe(0);
  });
});

describe('who may approve', () => {
  test('not the requester, nor anybody outside the group, nor without a token; the right one still may', async () => {
    const args = fresh();
    const response = hold(await openSession(sam), args);
    const { id } = await approvalOf(world, dba.token, args.row);
    expect((await decide(world, sam.token, id, approve)).status).toBe(403);
    expect((await decide(world, eve.token, id, approve)).status).toBe(403);
    expect((await decide(world, 'nonsense', id, approve)).status).toBe(401);
    expect(await approvals(world, eve.token)).toEqual([]);
    expect((await approvalOf(world, dba.token, args.row)).status.phase).toBe('Pending');
    await decide(world, dba.token, id, approve);
    expect(read(await answerOf(await response))).toEqual(done);
  });
});

test('what nobody decides expires', async () => {
  const args = fresh();
  const session = await openSession(sam);
  const response = await session.request('tools/call', { name: 'brief', arguments: args });
  const { isError, text } = read(await answerOf(response));
  expect(isError).toBe(true);
  expect(text).toContain('expired');
  const { id } = await approvalOf(world, dba.token, args.row, 'Expired');
  expect((await decide(world, dba.token, id, approve)).status).toBe(409);
  expect(runs(args)).toBe(0);
});

test('the outcome of a call that the server failed is written down', async () => {
  const args = fresh();
  world.server.on('tools/call', (heard) => heard.send(500, 'text/plain', 'oops'));
  const response = hold(await openSession(sam), args);
  const { id } = await approvalOf(world, dba.token, args.row);
  await decide(world, dba.token, id, approve);
  expect((await answerOf(await response)).error).toBeDefined();
  await expect
    .poll(async () => (await approvalOf(world, dba.token, args.row, 'Consumed')).status.outcome)
    .toBe('Failed');
});

test('a rule that was edited in between asks anew', async () => {
  const args = fresh();
  const requestState = await sentRound(sam, args);
  const { id } = await approvalOf(world, dba.token, args.row);
  await decide(world, dba.token, id, approve);
  await edit(world, (manifests) => manifests.replace('expiresAfter: 15m', 'expiresAfter: 14m'));
  const stale = await messageOf(await modern(sam, args, { requestState }));
  expect(stale.error?.code).toBe(-32602);
  await sentRound(sam, args);
  expect((await approvalOf(world, dba.token, args.row)).id).not.toBe(id);
  expect(runs(args)).toBe(0);
});

test('access that was taken away in between is gone when the approval comes', async () => {
  const args = fresh();
  const response = hold(await openSession(sam), args);
  const { id } = await approvalOf(world, dba.token, args.row);
  await edit(world, (manifests) => manifests.replace(/tools:\n\s+- "\*"/, 'tools: ["other"]'));
  await decide(world, dba.token, id, approve);
  expect((await answerOf(await response)).error?.code).toBe(-32602);
  expect(runs(args)).toBe(0);
});
