/** The whole of it on one machine: a call is held, Slack is asked, and the processes die in between. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startSlack, type SlackMessage, type SlackServer } from '../fixtures/channels/slack.ts';
import { type Gatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { answerOf, openSession } from '../fixtures/hand-client.ts';
import { type Issuer, startIssuer } from '../fixtures/issuer.ts';
import { type ScriptedServer, startScriptedServer } from '../fixtures/scripted-server.ts';
import { approvalOf } from './desk.ts';
import { childOf, gone } from './processes.ts';
import { signedIn } from './world.ts';

let secrets: string;
let issuer: Issuer;
let server: ScriptedServer;
let slack: SlackServer;
let gatehouse: Gatehouse;

beforeAll(async () => {
  secrets = await mkdtemp(join(tmpdir(), 'gatehouse-asking-'));
  [issuer, server, slack] = [await startIssuer(), await startScriptedServer(), await startSlack()];
  await writeFile(join(secrets, 'token'), slack.token);
  await writeFile(join(secrets, 'signing'), slack.signingSecret);
  const files = { tokenFile: join(secrets, 'token'), signingSecretFile: join(secrets, 'signing') };
  const person = (name: string) => ({
    ...{ email: `${name}@acme.test`, issuer: issuer.url, subject: name, username: name, groups: ['dba'] },
  });
  gatehouse = await startGatehouse(
    (url) => [
      {
        kind: 'McpGateway',
        metadata: { name: 'main' },
        spec: { server: { url: server.url }, ...signedIn(issuer, url) },
      },
      {
        kind: 'ApprovalRule',
        metadata: { name: 'deletes' },
        spec: {
          targetRefs: [{ kind: 'McpGateway', name: 'main' }],
          match: { tools: ['delete'] },
          approvers: { groups: ['dba'] },
          notify: [{ slack: { channel: '#dba' } }],
        },
      },
    ],
    {
      settings: () => ({
        approvers: { people: [person('dora'), person('sam')] },
        notify: { slack: { apiUrl: slack.apiUrl, ...files } },
      }),
    },
  );
  slack.users.set('Udora', { email: 'dora@acme.test' });
  slack.users.set('Usam', { email: 'sam@acme.test' });
});
afterEach(() => {
  slack.instead = undefined;
});
afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await slack[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
  await rm(secrets, { recursive: true });
});

const tokenOf = (name: string) => issuer.token({ sub: name, aud: gatehouse.url, groups: ['dba'] });
const hooks = (): string => `${gatehouse.admin}/hooks/slack`;
const runs = (row: string): number =>
  server.heard.filter(({ body, message }) => message.method === 'tools/call' && body.includes(row)).length;
const call = async (row: string): Promise<Response> => {
  const session = await openSession({ url: gatehouse.url, token: await tokenOf('sam') });
  return session.request('tools/call', { name: 'delete', arguments: { row } }, { id: 1 });
};
const text = z.looseObject({ content: z.array(z.looseObject({ text: z.string() })) });

/** The operator ends at once; the recorder and the proxy find that it has gone, and end too. */
async function killAndStartAgain(): Promise<void> {
  const { pid } = gatehouse.child;
  const all = [pid, await childOf(gatehouse, 'recorder'), await childOf(gatehouse, 'proxy')];
  process.kill(pid, 'SIGKILL');
  await gone(...all);
  await gatehouse.startAgain();
}

const notified = z.looseObject({
  status: z.looseObject({ notified: z.array(z.looseObject({ state: z.string() })).optional() }),
});

/** The message about a request, once it is written down that Slack has it. */
async function told(row: string): Promise<{ id: string; message: SlackMessage }> {
  const dora = await tokenOf('dora');
  const state = async (): Promise<string | undefined> =>
    notified.parse(await approvalOf({ gatehouse }, dora, row)).status.notified?.[0]?.state;
  await expect.poll(state, { timeout: 20_000 }).toBe('Told');
  const { id } = await approvalOf({ gatehouse }, dora, row);
  const message = slack.messages.find(({ blocks }) => JSON.stringify(blocks).includes(id));
  if (message === undefined) throw new Error('Slack was not asked.');
  return { id, message };
}

test('a held call is decided by a button in Slack, not by the one who made it, and runs once', async () => {
  const response = await call('row-1');
  const { id, message } = await told('row-1');
  expect(await slack.press(hooks(), { message, user: 'Usam', action: 'Approve' })).toBe(200);
  await expect
    .poll(() => slack.whispers.map((one) => one.text).join(), { timeout: 20_000 })
    .toContain('sam made this call');
  expect(runs('row-1')).toBe(0);
  expect(await slack.press(hooks(), { message, user: 'Udora', action: 'Approve' })).toBe(200);
  expect(text.parse((await answerOf(response)).result).content[0]?.text).toBe('done');
  expect(runs('row-1')).toBe(1);
  await expect.poll(() => message.text, { timeout: 20_000 }).toBe(`Approved: ${id}`);
  expect(slack.complaints).toEqual([]);
});

test('kill -9 while Slack is being asked: the hold is there again, the repeat is marked, and the call still runs once', async () => {
  const before = slack.messages.length;
  let isAsked = false;
  slack.instead = (method) => {
    if (method === 'chat.postMessage') isAsked = true;
    // Taken, and never answered.
    return method === 'chat.postMessage';
  };
  const cut = call('row-2').catch(() => undefined);
  const dora = await tokenOf('dora');
  const { id } = await approvalOf({ gatehouse }, dora, 'row-2');
  await expect.poll(() => isAsked, { timeout: 20_000 }).toBe(true);
  await killAndStartAgain();
  slack.instead = undefined;
  await cut;
  const { id: again, message } = await told('row-2');
  expect(again).toBe(id);
  expect(JSON.stringify(message.blocks)).toContain('Sent again');
  expect(slack.messages).toHaveLength(before + 1);
  await slack.press(hooks(), { message, user: 'Udora', action: 'Approve' });
  await approvalOf({ gatehouse }, dora, 'row-2', 'Approved');
  expect(runs('row-2')).toBe(0);
  expect(text.parse((await answerOf(await call('row-2'))).result).content[0]?.text).toBe('done');
  expect(runs('row-2')).toBe(1);
});

test('kill -9 after Slack was asked: nobody is asked again', async () => {
  const cut = call('row-3').catch(() => undefined);
  const { id, message } = await told('row-3');
  await killAndStartAgain();
  await cut;
  const asked = slack.calls.filter((method) => method === 'chat.postMessage').length;
  await slack.press(hooks(), { message, user: 'Udora', action: 'Deny' });
  await expect.poll(() => message.text, { timeout: 20_000 }).toBe(`Denied: ${id}`);
  expect(slack.calls.filter((method) => method === 'chat.postMessage')).toHaveLength(asked);
});
