import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answerOf,
  messageOf,
  modernCall,
  openSession,
  post,
  rpc,
  type HandSession,
} from '../fixtures/hand-client.ts';
import { toolText } from '../fixtures/scripted-server.ts';
import { approvalOf, decide } from './desk.ts';
import { recordOf, storeOf, type Entry } from './records.ts';
import { OPEN, startWorld, type World } from './world.ts';

const run = promisify(execFile);
const cli = resolve(import.meta.dirname, '../../cli/main.ts');
const word = (): string => randomBytes(18).toString('base64url');
/** Everything that may be written down nowhere. */
const secrets = {
  first: `k-${word()}`,
  second: `k-${word()}`,
  argument: `ghp_${randomBytes(18).toString('hex')}`,
};
const minted: string[] = Object.values(secrets);

const target = { targetRefs: [{ kind: 'McpGateway', name: 'main' }] };
const rule = (name: string, spec: object) => ({
  kind: 'ApprovalRule',
  metadata: { name },
  spec: { ...target, ...spec },
});

let world: World;
let token: string;
let dba: string;
let session: HandSession;
beforeAll(async () => {
  world = await startWorld({
    spec: {
      access: OPEN,
      credentials: [
        {
          name: 'backend',
          source: { devFile: { path: 'backend.json' } },
          inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
        },
      ],
    },
    policies: [
      rule('never', { match: { tools: ['never'] }, effect: 'Deny' }),
      rule('ask', { match: { tools: ['ask'] }, effect: 'RequireApproval', approvers: { groups: ['dba'] } }),
      {
        kind: 'MaskingPolicy',
        metadata: { name: 'mask' },
        spec: { ...target, detectors: [{ preset: 'Credentials' }], fields: [{ keys: ['password'] }] },
      },
    ],
    files: { 'backend.json': JSON.stringify({ key: secrets.first }) },
  });
  const ana = await world.as('ana', ['support']);
  token = ana.token;
  dba = (await world.as('dora', ['dba'])).token;
  minted.push(token, dba);
  session = await openSession(ana);
});
afterAll(() => world[Symbol.asyncDispose]());

const call = (name: string, args: object = {}, id = 1): Promise<Response> =>
  session.request('tools/call', { name, arguments: args }, { id });

/** What the record has of the exchange whose request names this tool, in order. */
async function exchangeOf(tool: string): Promise<Entry[]> {
  const entries = await recordOf(world.gatehouse);
  const request = entries.find(({ type, event }) => type === 'request' && event['target'] === tool);
  return entries.filter(
    ({ event }) => event['exchange'] === request?.event['exchange'] && request !== undefined,
  );
}

async function typesOf(tool: string, types: readonly string[]): Promise<Entry[]> {
  await expect.poll(async () => (await exchangeOf(tool)).map(({ type }) => type)).toEqual(types);
  return exchangeOf(tool);
}

describe('what the record holds', () => {
  test('of a session: who opened it, by which revision', async () => {
    await expect
      .poll(async () => (await recordOf(world.gatehouse))[0]?.event)
      .toMatchObject({
        type: 'session.start',
        revision: '2025-11-25',
        gateway: 'default/main',
        caller: { provider: 'staff', username: 'ana', subject: 'ana', groups: ['support'] },
      });
  });

  test('of an allowed call: request, decision, credential by name, answer', async () => {
    await call('plain', { n: 1 });
    const [request, response] = await typesOf('plain', ['request', 'response']);
    expect(request?.event).toMatchObject({
      decision: 'allow',
      method: 'tools/call',
      credentials: ['backend'],
    });
    expect(request?.event['message']).toContain('"n":1');
    expect(response?.event).toMatchObject({ masked: [] });
    expect(response?.event['session']).toBe(request?.event['session']);
    expect(response?.event['message']).toContain('done');
  });

  test('of a denied one: the rule, and what the client was told', async () => {
    expect((await answerOf(await call('never'))).result).toMatchObject({ isError: true });
    const [request, refusal] = await typesOf('never', ['request', 'refusal']);
    expect(request?.event).toMatchObject({ decision: 'deny', rule: 'default/never' });
    expect(refusal?.event).toMatchObject({ code: 'rule_denied' });
  });

  test('of a held one: every phase of its approval', async () => {
    const waiting = call('ask');
    const { id } = await approvalOf(world, dba, '{}');
    await decide(world, dba, id, { verdict: 'Approve' });
    await answerOf(await waiting);
    const entries = await typesOf('ask', ['request', 'approval', 'approval', 'approval', 'response']);
    expect(entries[0]?.event).toMatchObject({ decision: 'hold', rule: 'default/ask' });
    expect(entries.flatMap(({ event }) => event['phase'] ?? [])).toEqual(['Pending', 'Approved', 'Consumed']);
  });

  test('of a masked one: what was masked, where and why, never what it was', async () => {
    world.server.on('tools/call', (heard) => heard.result(toolText(`the key is ${secrets.first}`)));
    const { result } = await answerOf(await call('leak', { password: secrets.argument }));
    expect(JSON.stringify(result)).not.toContain(secrets.first);
    const [request, response] = await typesOf('leak', ['request', 'response']);
    expect(request?.event['message']).toContain('[REDACTED:');
    expect(response?.event['masked']).toEqual([
      { path: '$.result.content[0].text', detector: 'known-secret' },
    ]);
    world.server.reset();
  });

  test('of a caller whom nobody knows: the refusal', async () => {
    await post({ url: world.url }, rpc('ping', {}, 1));
    const refused = async (): Promise<Entry | undefined> =>
      (await recordOf(world.gatehouse)).find(({ event }) => event['code'] === 'unauthenticated');
    await expect.poll(refused).toMatchObject({ event: { status: 401 } });
  });
});

test('the credential reaches the server and nobody else; a rotated one takes its place, and both stay masked', async () => {
  await call('seen');
  expect(world.server.heard.at(-1)?.headers['x-api-key']).toBe(secrets.first);
  await writeFile(join(world.gatehouse.directory, 'backend.json'), JSON.stringify({ key: secrets.second }));
  const key = async (): Promise<unknown> => {
    await call('seen');
    return world.server.heard.at(-1)?.headers['x-api-key'];
  };
  await expect.poll(key, { timeout: 10_000 }).toBe(secrets.second);
  const both = `${secrets.first} ${secrets.second} ${Buffer.from(secrets.second).toString('base64')}`;
  world.server.on('tools/call', (heard) => heard.result(toolText(both)));
  const leaked = JSON.stringify(
    await messageOf(await modernCall({ url: world.url, token }, 'tools/call', { name: 'leak-2' })),
  );
  world.server.on('tools/call', (heard) => heard.error(-32000, `failed with ${both}`));
  const failed = JSON.stringify(await answerOf(await call('leak-3')));
  for (const text of [leaked, failed]) {
    expect(text).toContain('[REDACTED:known-secret]');
    for (const secret of minted) expect(text).not.toContain(secret);
  }
});

test('sessions list, show, replay and verify read it', async () => {
  await session.end();
  const sessions = (...args: string[]): Promise<{ stdout: string }> =>
    run(process.execPath, [cli, 'sessions', ...args, '--store', storeOf(world.gatehouse)]);
  const id = String((await recordOf(world.gatehouse))[0]?.event['session']);
  const ended = async (): Promise<Entry | undefined> =>
    (await recordOf(world.gatehouse)).find(
      ({ type, event }) => type === 'session.end' && event['session'] === id,
    );
  await expect.poll(ended).toBeDefined();
  expect((await sessions('list')).stdout).toContain(id);
  expect((await sessions('show', id)).stdout).toContain('never');
  expect((await sessions('replay', id)).stdout).toContain('never');
  await expect(sessions('verify')).resolves.toBeDefined();
});

test('no secret of this run stands in any file, log or metric', async () => {
  const { directory, admin, child } = world.gatehouse;
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  const status = await (await fetch(`${admin}/v1/status`)).text();
  const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== 'backend.json')
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThan(10);
  const log = child.output();
  // More than that is not kept, and what is not kept cannot be searched.
  expect(log.length).toBeLessThan(8_000);
  const texts = await Promise.all(
    files.map(async (file) => ({ place: file, text: await readFile(file, 'latin1') })),
  );
  texts.push(
    { place: 'log', text: log },
    { place: 'metrics', text: metrics },
    { place: 'status', text: status },
  );
  for (const { place, text } of texts)
    for (const secret of minted)
      expect(text.includes(secret), `${place} holds ${secret.slice(0, 6)}…`).toBe(false);
});
