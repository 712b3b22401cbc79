/** Ways to make an approval stand for something else than what was approved, or for more than one call. */
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, bearer, openSession, post, type HandSession, type Way } from '../fixtures/hand-client.ts';
import { toolText } from '../fixtures/scripted-server.ts';
import { approvalOf, decide } from './desk.ts';
import { edit, startWorld, type World } from './world.ts';

const rule = (name: string, spec: object) => ({
  kind: 'ApprovalRule',
  metadata: { name },
  spec: { targetRefs: [{ kind: 'McpGateway', name: 'main' }], approvers: { groups: ['dba'] }, ...spec },
});

let world: World;
type Person = Way & { readonly token: string };
let sam: Person;
let dba: Person;
beforeAll(async () => {
  world = await startWorld({
    policies: [rule('deletes', { match: { tools: ['delete'] }, effect: 'RequireApproval' })],
  });
  [sam, dba] = [await world.as('sam'), await world.as('dora', ['dba'])];
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

const runs = (text: string): number =>
  world.server.heard.filter(({ message, body }) => message.method === 'tools/call' && body.includes(text))
    .length;
const approve = (id: string) => decide(world, dba.token, id, { verdict: 'Approve' });

/** A call whose arguments are this very JSON text. */
const raw = (session: HandSession, args: string, signal?: AbortSignal): Promise<Response> =>
  post(sam, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete","arguments":${args}}}`, {
    headers: session.headers,
    ...(signal !== undefined && { signal }),
  });

/** Asks, hangs up, and has it approved: the approval now lies there for a retry. */
async function approved(args: string, text: string): Promise<string> {
  const hangUp = new AbortController();
  const response = await raw(await openSession(sam), args, hangUp.signal);
  const { id } = await approvalOf(world, dba.token, text);
  hangUp.abort();
  await expect(response.text()).rejects.toThrow();
  await approve(id);
  await approvalOf(world, dba.token, text, 'Approved');
  return id;
}

/** Whatever was asked gets an approval of its own, and not the one that is there. */
async function asksAnew(session: HandSession, args: string, text: string, known: string): Promise<void> {
  const hangUp = new AbortController();
  const response = await raw(session, args, hangUp.signal);
  expect((await approvalOf(world, dba.token, text)).id).not.toBe(known);
  hangUp.abort();
  await response.text().catch(() => undefined);
}

describe('an approval', () => {
  test('is for the number as it was written, and not for the one that it would be rounded to', async () => {
    const id = await approved('{"big":1,"n":9007199254740993}', '9007199254740993');
    const session = await openSession(sam);
    await asksAnew(session, '{"big":1,"n":9007199254740992}', '9007199254740992', id);
    expect(runs('"big":1')).toBe(0);
    expect((await answerOf(await raw(session, '{"n":9007199254740993,"big":1}'))).result).toMatchObject(
      toolText('done'),
    );
    expect(runs('9007199254740993')).toBe(1);
    expect(runs('9007199254740992')).toBe(0);
  });

  test('is for one spelling of everything that could be read in two ways', async () => {
    const id = await approved('{"id":"a\\u0062c","n":1}', 'u0062');
    const session = await openSession(sam);
    const others = ['{"id":"abc","n":1.0}', '{"id":"abc","n":"1"}', '{"id":"abc","n":1,"more":null}'];
    for (const other of others) await asksAnew(session, other, other.slice(1, 15), id);
    for (const twice of ['{"id":"x","id":"abc","n":1}', '{"n":1,"id":"abc","\\u0069d":"y"}'])
      expect((await raw(session, twice)).status, twice).toBe(400);
    expect(runs('"id"')).toBe(0);
    // Order, space and escapes say the same.
    expect((await answerOf(await raw(session, '{ "n":1, "id":"ab\\u0063" }'))).result).toMatchObject(
      toolText('done'),
    );
  });

  test('is found in another session of the same person, and not by anybody else', async () => {
    await approved('{"row":"moved"}', 'moved');
    const eve = await world.as('eve');
    const other = await openSession(eve);
    const hangUp = new AbortController();
    const theirs = await other.request(
      'tools/call',
      { name: 'delete', arguments: { row: 'moved' } },
      { signal: hangUp.signal },
    );
    const { spec } = await approvalOf(world, dba.token, 'moved');
    expect(spec.requester.username).toBe('eve');
    expect(runs('moved')).toBe(0);
    expect((await answerOf(await raw(await openSession(sam), '{"row":"moved"}'))).result).toMatchObject(
      toolText('done'),
    );
    expect(runs('moved')).toBe(1);
    hangUp.abort();
    await theirs.text().catch(() => undefined);
  });

  test(
    'is used up by one of many retries at once, in sessions of their own',
    { timeout: 90_000 },
    async () => {
      await approved('{"row":"raced"}', 'raced');
      const hangUp = new AbortController();
      const sessions = await Promise.all(Array.from({ length: 8 }, () => openSession(sam)));
      const settled = sessions.map((session) =>
        raw(session, '{"row":"raced"}', hangUp.signal)
          .then(answerOf)
          .catch(() => undefined),
      );
      await expect.poll(() => runs('raced'), { timeout: 20_000 }).toBe(1);
      await approvalOf(world, dba.token, 'raced', 'Consumed');
      hangUp.abort();
      await Promise.all(settled);
      expect(runs('raced')).toBe(1);
    },
  );

  test('does not outlive a rule that denies', async () => {
    await approved('{"row":"forbidden"}', 'forbidden');
    await edit(world, (text) =>
      [
        text,
        'apiVersion: gatehouse.dev/v1alpha1',
        'kind: ApprovalRule',
        'metadata: { name: never }',
        'spec:',
        '  targetRefs: [{ kind: McpGateway, name: main }]',
        '  match: { tools: [delete], when: "request.arguments.row == \'forbidden\'" }',
        '  effect: Deny',
      ]
        .join('\n')
        .replace(
          /^apiVersion: gatehouse.dev\/v1alpha1\nkind: ApprovalRule\nmetadata: \{ name: never/m,
          '---\n$&',
        ),
    );
    const refused = await answerOf(await raw(await openSession(sam), '{"row":"forbidden"}'));
    expect(refused.result).toMatchObject({ isError: true });
    expect(JSON.stringify(refused.result)).toContain('default/never denies this call');
    expect(runs('forbidden')).toBe(0);
  });

  test('cannot be given twice by one, nor after a denial, nor taken back once given', async () => {
    const response = raw(await openSession(sam), '{"row":"twice"}');
    const { id } = await approvalOf(world, dba.token, 'twice');
    const other = await world.as('dan', ['dba']);
    const said = await Promise.all([
      decide(world, dba.token, id, { verdict: 'Approve' }),
      decide(world, other.token, id, { verdict: 'Deny' }),
      decide(world, dba.token, id, { verdict: 'Deny' }),
    ]);
    // One of them ended it; the others are told so.
    expect(said.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const again = await decide(world, dba.token, id, { verdict: 'Approve' });
    expect(again.status).toBe(409);
    const answer = await answerOf(await response);
    const ran = answer.result?.['isError'] !== true;
    expect(runs('twice')).toBe(ran ? 1 : 0);
  });
});

describe('an official client with its default settings waits for a person who takes a while', () => {
  const clients: [string, (args: object) => Promise<string>][] = [
    [
      'SDK 1.x',
      async (args) => {
        const client = new ClientV1({ name: 'sam', version: '1.0.0' });
        await client.connect(new HttpV1(new URL(world.url), { requestInit: { headers: bearer(sam.token) } }));
        const text = JSON.stringify(await client.callTool({ name: 'delete', arguments: { ...args } }));
        await client.close();
        return text;
      },
    ],
    ...(['legacy', 'auto'] as const).map((mode): [string, (args: object) => Promise<string>] => [
      `SDK 2.x, ${mode}`,
      async (args) => {
        const client = new ClientV2({ name: 'sam', version: '1.0.0' }, { versionNegotiation: { mode } });
        await client.connect(new HttpV2(new URL(world.url), { requestInit: { headers: bearer(sam.token) } }));
        const text = JSON.stringify(await client.callTool({ name: 'delete', arguments: { ...args } }));
        await client.close();
        return text;
      },
    ]),
  ];

  test(clients.map(([name]) => name).join('; '), { timeout: 120_000 }, async () => {
    const waiting = clients.map(async ([name, call]) => {
      const row = `sdk-${name.replaceAll(/\W/g, '-')}`;
      const answer = call({ row });
      const { id } = await approvalOf(world, dba.token, row);
      // Longer than a beat of ours, and than the first round of 2026-07-28.
      await delay(15_000);
      await approve(id);
      expect(await answer, name).toContain('"done"');
      expect(runs(row), name).toBe(1);
    });
    await Promise.all(waiting);
  });
});
