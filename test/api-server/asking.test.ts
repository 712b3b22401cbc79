/** Approvers of calls held in a cluster are asked by one of the operator's replicas, against a real API server. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { knownPerson } from '../../operator/approve/known-people.ts';
import { notifySettings } from '../../operator/approve/notify/index.ts';
import { startCluster, type ClusterOperator } from '../../operator/cluster/index.ts';
import { NO_FLOORS } from '../../operator/compile/index.ts';
import { openPki, type Pki } from '../../operator/keys/pki.ts';
import type { KubeClient } from '../../operator/source/kubernetes/client.ts';
import { demand as anyDemand } from '../fixtures/approval.ts';
import { startSlack, type SlackMessage, type SlackServer } from '../fixtures/channels/slack.ts';
import { eventually, hasApiServer, installKinds, startApiServer, type ApiServer } from './api-server.ts';

const GROUP = '/apis/gatehouse.dev/v1alpha1/namespaces/tools';
const ISSUER = 'https://login.example';
const RULE = 'tools/deletes';

let directory: string;
let pki: Pki;
let api: ApiServer;
let admin: KubeClient;
let slack: SlackServer;
let replicas: ClusterOperator[] = [];

async function replica(identity: string): Promise<ClusterOperator> {
  const anywhere = { host: '127.0.0.1', port: 0 };
  const file = (name: string): string => join(directory, name);
  const roots = await readFile(pki.caFile, 'utf8');
  const people = ['alice', 'sam'].map((name) =>
    knownPerson.parse({
      ...{ email: `${name}@acme.test`, issuer: ISSUER, subject: name, username: `${name}@acme.test` },
      groups: ['dba'],
    }),
  );
  return startCluster(
    {
      ...{ namespace: 'gatehouse-system', identity, floors: NO_FLOORS, adminHosts: [] },
      ...{ controlListen: anywhere, adminListen: anywhere },
      certificate: async () => ({ ...(await pki.server('control', ['127.0.0.1'], Date.now())), roots }),
      usernames: [{ issuer: ISSUER, claim: 'email', prefix: '' }],
      asking: {
        ...{ publicUrl: undefined, console: undefined, people },
        notify: notifySettings.parse({
          slack: { apiUrl: slack.apiUrl, tokenFile: file('token'), signingSecretFile: file('signing') },
          webhook: { allow: ['hooks.example'] },
        }),
      },
    },
    { client: api.as('admin'), clock: systemClock, log: silentLogger(), random: Math.random },
  );
}

describe.skipIf(!hasApiServer())('approvers of calls held in a cluster', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gatehouse-asking-'));
    pki = await openPki(directory, Date.now());
    slack = await startSlack();
    for (const name of ['alice', 'sam']) slack.users.set(`U${name}`, { email: `${name}@acme.test` });
    await writeFile(join(directory, 'token'), slack.token);
    await writeFile(join(directory, 'signing'), slack.signingSecret);
    api = await startApiServer();
    admin = api.as('admin');
    await installKinds(admin);
    for (const name of ['gatehouse-system', 'tools']) {
      await admin.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
    }
    await post('mcpgateways', gateway);
    await post('approvalrules', rule);
    replicas = [await replica('a'), await replica('b')];
    await eventually(() => {
      for (const { board } of replicas) expect(board.rule('tools/orders', RULE)).toBeDefined();
      expect(replicas.filter((one) => one.leads())).toHaveLength(1);
    });
  }, 120_000);

  afterAll(async () => {
    await Promise.all(replicas.map((one) => one.close()));
    await api[Symbol.asyncDispose]();
    await slack[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test('are asked once, and what they were told is a part of the object', async () => {
    const { id, message } = await asked(follower());
    const { notified = [] } = (await read(id)).status;
    // Whichever was answered first stands first.
    const byChannel = notified.toSorted((one, other) => one.channel.localeCompare(other.channel));
    expect(byChannel).toMatchObject([
      { channel: '1: slack #dba', state: 'Told', phase: 'Pending', ref: `${message.channel}/${message.ts}` },
      { channel: '2: webhook hooks.example', state: 'Failed' },
    ]);
    expect(byChannel[1]?.error).toMatch(/^The Secret tools\/hook cannot be read/);
    expect(slack.messages).toHaveLength(1);
    const change = { spec: { notify: [{ slack: { channel: '#elsewhere' } }] } };
    const path = `${GROUP}/approvalrequests/${id}`;
    await expect(admin.request({ method: 'PATCH', patch: 'merge', path, body: change })).rejects.toThrow(
      /must not change notify/,
    );
  });

  test('decide by Slack and by kubectl; one person is one, whichever way they came', async () => {
    const { id, message } = await asked(leader());
    expect(await press(follower(), message, 'Usam')).toBe(200);
    await eventually(() => expect(slack.whispers.map(({ text }) => text).join()).toContain('made this call'));
    expect(await press(follower(), message, 'Ualice')).toBe(200);
    await eventually(async () => expect((await read(id)).spec.decisions).toHaveLength(1));
    await kubectlApproves(id, 'alice@acme.test');
    await eventually(async () => expect((await read(id)).spec.decisions).toHaveLength(2));
    expect((await leader().approvals.get(id)).status.phase).toBe('Pending');
    await kubectlApproves(id, 'bob@acme.test');
    await eventually(() => expect(message.text).toBe(`Approved: ${id}`));
    expect((await read(id)).spec.decisions.map(({ by, via }) => `${by} ${via}`)).toEqual([
      'alice@acme.test slack',
      'alice@acme.test kubectl',
      'bob@acme.test kubectl',
    ]);
  });

  test('are told by another replica when the one that asked has gone, and are not asked again', async () => {
    const { id, message } = await asked(leader());
    const before = slack.messages.length;
    const gone = leader();
    const next = follower();
    replicas = [next];
    await gone.close();
    await next.approvals.cancel(id);
    await eventually(() => expect(message.text).toMatch(/^Cancelled/));
    expect(next.leads()).toBe(true);
    expect(slack.messages).toHaveLength(before);
    expect(slack.complaints).toEqual([]);
  });
});

let calls = 0;

async function asked(by: ClusterOperator): Promise<{ id: string; message: SlackMessage }> {
  calls += 1;
  const digest = calls.toString(16).padStart(64, '0');
  const revision = by.board.rule('tools/orders', RULE)?.revision ?? '';
  const requester = { ...anyDemand.requester, issuer: ISSUER, subject: 'sam', username: 'sam@acme.test' };
  const call = { ...anyDemand.call, digest };
  const opened = await by.approvals.demand({ ...anyDemand, rule: { name: RULE, revision }, requester, call });
  const id = opened.metadata.name;
  await eventually(async () => {
    const { notified = [] } = (await read(id)).status;
    expect(notified.map(({ state }) => state).sort()).toEqual(['Failed', 'Told']);
  });
  const message = slack.messages.find(({ blocks }) => JSON.stringify(blocks).includes(id));
  if (message === undefined) throw new Error('Slack was not asked.');
  return { id, message };
}

function leader(): ClusterOperator {
  return replicas.find((one) => one.leads()) ?? raise();
}

function follower(): ClusterOperator {
  return replicas.find((one) => !one.leads()) ?? raise();
}

function raise(): never {
  throw new Error('There is no such replica.');
}

const press = (at: ClusterOperator, message: SlackMessage, user: string): Promise<number> =>
  slack.press(`${at.adminUrl}/hooks/slack`, { message, user, action: 'Approve' });

async function kubectlApproves(id: string, by: string): Promise<void> {
  const value = { by, verdict: 'Approve', via: 'kubectl', at: new Date().toISOString() };
  const body = [{ op: 'add', path: '/spec/decisions/-', value }];
  await admin.request({ method: 'PATCH', patch: 'json', path: `${GROUP}/approvalrequests/${id}`, body });
}

const object = z.object({
  spec: z.object({ decisions: z.array(z.object({ by: z.string(), via: z.string() })) }),
  status: z.object({
    notified: z
      .array(
        z.object({
          channel: z.string(),
          state: z.string(),
          phase: z.string().optional(),
          ref: z.string().optional(),
          error: z.string().optional(),
        }),
      )
      .optional(),
  }),
});

async function read(id: string): Promise<z.output<typeof object>> {
  return object.parse(await admin.request({ method: 'GET', path: `${GROUP}/approvalrequests/${id}` }));
}

async function post(plural: string, body: object): Promise<void> {
  await admin.request({ method: 'POST', path: `${GROUP}/${plural}`, body });
}

const gateway = {
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'McpGateway',
  metadata: { name: 'orders' },
  spec: {
    selector: { matchLabels: { app: 'orders' } },
    server: { port: 8080 },
    publicUrl: 'https://orders.example/mcp',
    identity: [{ name: 'staff', oidc: { issuer: ISSUER, usernameClaim: 'email' } }],
    access: [{ authenticated: true, tools: ['*'] }],
  },
};

const rule = {
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'ApprovalRule',
  metadata: { name: 'deletes' },
  spec: {
    targetRefs: [{ name: 'orders' }],
    match: { tools: ['delete'] },
    approvers: { groups: ['dba'], count: 2 },
    notify: [
      { slack: { channel: '#dba' } },
      { webhook: { url: 'https://hooks.example/in', secretRef: { name: 'hook', key: 'secret' } } },
    ],
  },
};
