/** What takes its time: all at once, because each of them only waits. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { z } from 'zod';
import { bearer, messageOf, modernCall } from '../fixtures/hand-client.ts';
import { approvalOf, decide } from './desk.ts';
import { startWorld, type World } from './world.ts';

const MINUTE = 60_000;
const result = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ text: z.string() })),
});

let world: World;
beforeAll(async () => {
  world = await startWorld({
    policies: [
      {
        kind: 'ApprovalRule',
        metadata: { name: 'ask' },
        spec: {
          targetRefs: [{ kind: 'McpGateway', name: 'main' }],
          match: { tools: ['ask'] },
          effect: 'RequireApproval',
          approvers: { groups: ['dba'] },
        },
      },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const runs = (row: string): number =>
  world.server.heard.filter(({ message, body }) => message.method === 'tools/call' && body.includes(row))
    .length;

describe.concurrent('in its own time', () => {
  test(
    'a legacy SDK client hears before it gives up, and its next try runs once',
    { timeout: 2 * MINUTE },
    async ({ expect }) => {
      const { url, token } = await world.as('sam');
      const dba = await world.as('dora', ['dba']);
      const client = new Client({ name: 'sam', version: '1.0.0' });
      await client.connect(
        new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: bearer(token) } }),
      );
      const ask = async () =>
        result.parse(await client.callTool({ name: 'ask', arguments: { row: 'patient' } }));
      const waited = ask();
      const { id } = await approvalOf(world, dba.token, 'patient');
      const pending = await waited;
      expect(pending.isError).toBe(true);
      expect(pending.content[0]?.text).toContain(id);
      expect(runs('patient')).toBe(0);
      await decide(world, dba.token, id, { verdict: 'Approve' });
      expect((await ask()).content[0]?.text).toBe('done');
      expect(runs('patient')).toBe(1);
      await client.close();
    },
  );

  test(
    'a client of 2026-07-28 is sent round before its own patience ends',
    { timeout: 2 * MINUTE },
    async ({ expect }) => {
      const sam = await world.as('sam');
      const dba = await world.as('dora', ['dba']);
      const params = { name: 'ask', arguments: { row: 'rounds' } };
      const state = async (more: object): Promise<unknown> =>
        (await messageOf(await modernCall(sam, 'tools/call', { ...params, ...more }))).result?.[
          'requestState'
        ];
      const first = await state({});
      const second = await state({ requestState: first });
      expect(z.string().parse(second)).not.toBe(first);
      const { id } = await approvalOf(world, dba.token, 'rounds');
      await decide(world, dba.token, id, { verdict: 'Approve' });
      const done = await messageOf(await modernCall(sam, 'tools/call', { ...params, requestState: second }));
      expect(done.result).toMatchObject({ content: [{ text: 'done' }] });
      expect(runs('rounds')).toBe(1);
    },
  );

  test(
    'a key that the issuer has rotated to is fetched, and a forgotten one is refused',
    { timeout: 2 * MINUTE },
    async ({ expect }) => {
      const status = async (token: string): Promise<number> =>
        (await modernCall({ url: world.url, token }, 'tools/call', { name: 'any' })).status;
      const old = async (): Promise<string> => (await world.as('old')).token;
      const before = await old();
      expect(await status(before)).toBe(200);
      // Long enough for the others in this file to have signed what they need.
      await delay(5_000);
      await world.issuer.rotate();
      const { token } = await world.as('new');
      await expect.poll(() => status(token), { timeout: MINUTE, interval: 1_000 }).toBe(200);
      expect(await status(before)).toBe(200);
    },
  );
});
