import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, eventsOf, modernCall, openSession, type Way } from '../fixtures/hand-client.ts';
import { toolText, type Heard, type SentStream } from '../fixtures/scripted-server.ts';
import { approvalOf, decide } from './desk.ts';
import { childOf, gone } from './processes.ts';
import { recordOf, storeOf } from './records.ts';
import { startWorld, statusOf, type World } from './world.ts';

const cli = resolve(import.meta.dirname, '../../cli/main.ts');
const held = {
  kind: 'ApprovalRule',
  metadata: { name: 'held' },
  spec: {
    targetRefs: [{ kind: 'McpGateway', name: 'main' }],
    match: { tools: ['held'] },
    effect: 'RequireApproval',
    approvers: { groups: ['dba'] },
  },
};

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld({ policies: [held] });
  ana = await world.as('ana');
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

async function restarted(name: string, restarts: number): Promise<void> {
  const found = async () =>
    (await statusOf(world.gatehouse)).processes.find((process) => process.name === name);
  await expect.poll(found, { timeout: 20_000 }).toMatchObject({ running: true, restarts });
}

const runs = (text: string): number =>
  world.server.heard.filter(({ message, body }) => message.method === 'tools/call' && body.includes(text))
    .length;

describe('kill -9 of the recorder', () => {
  test('calls go on, and afterwards every one of them stands in a record that proves itself', async () => {
    const call = (n: number): Promise<Response> => modernCall(ana, 'tools/call', { name: `numbered-${n}-` });
    const calls = 60;
    for (let n = 0; n < calls; n += 1) {
      if (n === 20) process.kill(await childOf(world.gatehouse, 'recorder'), 'SIGKILL');
      expect((await call(n)).status).toBe(200);
    }
    await restarted('recorder', 1);
    const recorded = async (): Promise<Record<string, number>> => {
      const entries = await recordOf(world.gatehouse);
      const requests = entries.filter(({ event }) => /^numbered-/.test(String(event['target'])));
      const exchanges = new Set(requests.map(({ event }) => event['exchange']));
      const answered = entries.filter(
        ({ type, event }) => type === 'response' && exchanges.has(event['exchange']),
      );
      return { requests: requests.length, exchanges: exchanges.size, answered: answered.length };
    };
    await expect
      .poll(recorded, { timeout: 15_000 })
      .toEqual({ requests: calls, exchanges: calls, answered: calls });
    const verified = await promisify(execFile)(process.execPath, [
      cli,
      'sessions',
      'verify',
      '--store',
      storeOf(world.gatehouse),
    ]);
    expect(verified.stdout).toMatch(/\d+/);
  });
});

describe('kill -9 of the proxy', () => {
  test('it comes back where it was, and sessions go on', async () => {
    const session = await openSession(ana);
    const before = session.headers['mcp-session-id'];
    process.kill(await childOf(world.gatehouse, 'proxy'), 'SIGKILL');
    await restarted('proxy', 1);
    const answer = await answerOf(await session.request('tools/call', { name: 'after' }));
    expect(answer.result).toMatchObject(toolText('done'));
    expect(world.server.heard.at(-1)?.headers['mcp-session-id']).toMatch(/^upstream-/);
    expect(session.headers['mcp-session-id']).toBe(before);
  });

  test('what was held has not run; its approval is found when the client asks again', async () => {
    const dba = await world.as('dora', ['dba']);
    const session = await openSession(ana);
    const args = { name: 'held', arguments: { row: 'held-over' } };
    const waiting = session.request('tools/call', args).then((response) => response.text());
    const { id } = await approvalOf(world, dba.token, 'held-over');
    process.kill(await childOf(world.gatehouse, 'proxy'), 'SIGKILL');
    await expect(waiting).rejects.toThrow();
    await restarted('proxy', 2);
    expect(runs('held-over')).toBe(0);
    expect((await decide(world, dba.token, id, { verdict: 'Approve' })).status).toBe(200);
    expect((await answerOf(await session.request('tools/call', args))).result).toMatchObject(
      toolText('done'),
    );
    expect(runs('held-over')).toBe(1);
  });

  test('what was running has an unknown outcome, and needs a new approval', async () => {
    const dba = await world.as('dora', ['dba']);
    const arrived = world.server.arrival('tools/call');
    world.server.on('tools/call', () => undefined);
    const args = { name: 'held', arguments: { row: 'cut-off' } };
    const session = await openSession(ana);
    const waiting = session.request('tools/call', args).then((response) => response.text());
    const { id } = await approvalOf(world, dba.token, 'cut-off');
    await decide(world, dba.token, id, { verdict: 'Approve' });
    await arrived;
    process.kill(await childOf(world.gatehouse, 'proxy'), 'SIGKILL');
    await expect(waiting).rejects.toThrow();
    await expect
      .poll(async () => (await approvalOf(world, dba.token, 'cut-off', 'Consumed')).status.outcome)
      .toBe('Unknown');
    await restarted('proxy', 3);
    const again = session.request('tools/call', args);
    expect((await approvalOf(world, dba.token, 'cut-off')).id).not.toBe(id);
    expect(runs('cut-off')).toBe(1);
    await (await again).body?.cancel();
  });
});

describe('the end of the installation', () => {
  test('SIGTERM lets what runs come to its answer, and then nothing is left', async () => {
    const own = await startWorld();
    const way = await own.as('ana');
    const children = [await childOf(own.gatehouse, 'recorder'), await childOf(own.gatehouse, 'proxy')];
    const opened = Promise.withResolvers<{ heard: Heard; stream: SentStream }>();
    own.server.on('tools/call', (heard) => opened.resolve({ heard, stream: heard.stream() }));
    const events = eventsOf(await modernCall(way, 'tools/call', { name: 'last' }));
    const { heard, stream } = await opened.promise;
    process.kill(own.gatehouse.child.pid, 'SIGTERM');
    await refused(way);
    stream.send({ id: heard.message.id, result: toolText('in time') });
    expect((await events.next())?.message?.result).toMatchObject(toolText('in time'));
    await gone(own.gatehouse.child.pid, ...children);
    const ended = (await recordOf(own.gatehouse)).map(({ type }) => type);
    expect(ended).toEqual(expect.arrayContaining(['request', 'response', 'session.end']));
    await own[Symbol.asyncDispose]();
  });

  test('kill -9 of the parent ends the children', async () => {
    const own = await startWorld();
    const children = [await childOf(own.gatehouse, 'recorder'), await childOf(own.gatehouse, 'proxy')];
    process.kill(own.gatehouse.child.pid, 'SIGKILL');
    await gone(...children);
    await own[Symbol.asyncDispose]();
  });
});

/** Resolves when nobody new is served. */
async function refused(way: Way): Promise<void> {
  await expect
    .poll(
      async () =>
        fetch(way.url, { headers: { connection: 'close' } }).then(
          () => 'served',
          () => 'refused',
        ),
      {
        timeout: 10_000,
      },
    )
    .toBe('refused');
}
