import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  answerOf,
  bearer,
  eventsOf,
  openSession,
  type HandSession,
  type Way,
} from '../../fixtures/hand-client.ts';
import { startWorld, type World } from '../world.ts';

const child = (name: string): string[] => [
  process.execPath,
  resolve(import.meta.dirname, '../../fixtures', name),
];
const content = z.looseObject({ content: z.array(z.looseObject({ text: z.string() })) });

async function textOf(response: Response): Promise<string> {
  return content.parse((await answerOf(response)).result).content[0]?.text ?? '';
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  await expect.poll(() => alive(pid), { timeout: 10_000 }).toBe(false);
}

describe('a child that misbehaves', () => {
  const secret = ['sk', 'live', randomBytes(12).toString('hex')].join('-');
  let world: World;
  let ana: Way;
  beforeAll(async () => {
    world = await startWorld({
      spec: {
        server: { transport: 'Stdio', command: child('stdio-child.ts') },
        limits: { sessionIdle: '1s', callsPerMinute: 100_000 },
      },
      policies: [
        {
          kind: 'MaskingPolicy',
          metadata: { name: 'mask' },
          spec: {
            targetRefs: [{ kind: 'McpGateway', name: 'main' }],
            detectors: [{ name: 'key', pattern: 'sk-live-[a-z0-9]+' }],
          },
        },
      ],
    });
    ana = await world.as('ana');
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const tool = (session: HandSession, name: string, text = '', id: string | number = 1): Promise<Response> =>
    session.request('tools/call', { name, arguments: { text } }, { id });
  const pidOf = async (session: HandSession): Promise<number> =>
    Number(await textOf(await tool(session, 'pid')));

  test('a legacy session is one process, which ends with DELETE', async () => {
    const [one, two] = [await openSession(ana), await openSession(ana)];
    const pids = [await pidOf(one), await pidOf(one), await pidOf(two)];
    expect(pids[0]).toBe(pids[1]);
    expect(pids[0]).not.toBe(pids[2]);
    expect((await one.end()).status).toBe(200);
    await gone(pids[0] ?? 0);
    expect(alive(pids[2] ?? 0)).toBe(true);
    await two.end();
  });

  test('it ends when the session has been idle', async () => {
    const pid = await pidOf(await openSession(ana));
    await gone(pid);
  });

  test('equal ids and progress tokens of two requests do not mix', async () => {
    const session = await openSession(ana);
    const first = tool(session, 'slow', 'first', 5);
    const second = await textOf(await tool(session, 'pid', '', 5));
    expect(await textOf(await first)).toBe('slow first');
    expect(Number(second)).toBeGreaterThan(1);

    for (const progressToken of ['same', 5]) {
      const params = { name: 'progress', _meta: { progressToken } };
      const events = await eventsOf(await session.request('tools/call', params)).rest();
      expect(events.map(({ message }) => message?.params)).toEqual([
        { progressToken, progress: 1 },
        { progressToken, progress: 2 },
        undefined,
      ]);
    }
    await session.end();
  });

  test('one that dies in a call: an error at once, then 404, then a new session', async () => {
    const session = await openSession(ana);
    const answer = await answerOf(await tool(session, 'die'));
    expect(answer.error?.message).toContain('ended (exit code 7)');
    expect((await tool(session, 'pid')).status).toBe(404);
    expect((await session.get()).status).toBe(404);
    expect(await pidOf(await openSession(ana))).toBeGreaterThan(1);
  });

  test('what it writes that is no JSON-RPC is logged, masked, and the call goes on', async () => {
    const session = await openSession(ana);
    expect(await textOf(await tool(session, 'garbage', secret))).toBe('still here');
    await world.gatehouse.child.printed(/on the side: \[REDACTED:key\]/);
    await world.gatehouse.child.printed(/not JSON: \[REDACTED:key\]/);
    expect(world.gatehouse.child.output()).not.toContain(secret);
    expect(await pidOf(session)).toBeGreaterThan(1);
    await session.end();
  });

  test('stderr that is not UTF-8, or does not end its line, hurts nobody', async () => {
    const session = await openSession(ana);
    expect(await textOf(await tool(session, 'noise', secret))).toBe('still here');
    await world.gatehouse.child.printed(/a line of more than \d+ bytes/);
    await world.gatehouse.child.printed(/end of noise/);
    expect(world.gatehouse.child.output()).not.toContain(secret);
    expect(await pidOf(session)).toBeGreaterThan(1);
    await session.end();
  });
});

test('2026-07-28 over stdio: the SDK 2.x on both sides', async () => {
  await using world = await startWorld({
    spec: { server: { transport: 'Stdio', command: child('stdio-server.ts') } },
  });
  const { url, token } = await world.as('ana');
  const connect = async (): Promise<Client> => {
    const client = new Client({ name: 'ana', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: bearer(token) } }),
    );
    return client;
  };
  const [one, two] = [await connect(), await connect()];
  expect(one.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  const answers = await Promise.all(
    [one, two, one, two].map((client, n) => client.callTool({ name: 'echo', arguments: { text: `${n}` } })),
  );
  expect(answers.map((answer) => content.parse(answer).content[0]?.text)).toEqual(['0', '1', '2', '3']);
  await one.close();
  await two.close();
});
