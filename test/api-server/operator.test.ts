/** The operator's replicas against a real API server: what they publish, to whom, and what they write. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { main } from '../../cli/main.ts';
import { approvalView, bundleFrame, type ApprovalDemand } from '../../crds/control.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { NO_FLOORS } from '../../operator/compile/index.ts';
import { startCluster, type ClusterOperator } from '../../operator/cluster/index.ts';
import { openPki, type Pki } from '../../operator/keys/pki.ts';
import type { KubeClient } from '../../operator/source/kubernetes/client.ts';
import { compileProtos, ORDERS_PROTO } from '../fixtures/protobuf.ts';
import { eventually, hasApiServer, installKinds, startApiServer, type ApiServer } from './api-server.ts';

const GROUP = '/apis/gatehouse.dev/v1alpha1/namespaces/tools';
const ISSUER = 'https://login.example';

let directory: string;
let pki: Pki;
let roots: string;
let api: ApiServer;
let admin: KubeClient;
let agent: Agent;
const replicas: ClusterOperator[] = [];

const replica = async (identity: string): Promise<ClusterOperator> => {
  const anywhere = { host: '127.0.0.1', port: 0 };
  const started = await startCluster(
    {
      namespace: 'gatehouse-system',
      identity,
      ...{ controlListen: anywhere, adminListen: anywhere, adminHosts: [] },
      certificate: async () => ({ ...(await pki.server('control', ['127.0.0.1'], Date.now())), roots }),
      floors: NO_FLOORS,
      usernames: [{ issuer: ISSUER, claim: 'email', prefix: '' }],
    },
    { client: api.as('admin'), clock: systemClock, log: silentLogger(), random: Math.random },
  );
  replicas.push(started);
  return started;
};

describe.skipIf(!hasApiServer())('the operator in a cluster', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gatehouse-operator-'));
    pki = await openPki(directory, Date.now());
    roots = await readFile(pki.caFile, 'utf8');
    agent = new Agent({ connect: { rejectUnauthorized: false } });
    api = await startApiServer();
    admin = api.as('admin');
    await installKinds(admin);
    for (const name of ['gatehouse-system', 'tools']) {
      await admin.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
    }
    await admin.request({
      method: 'POST',
      path: '/api/v1/namespaces/tools/serviceaccounts',
      body: { metadata: { name: 'orders' } },
    });
    await Promise.all([replica('a'), replica('b')]);
    await post('mcpgateways', gateway('orders', { app: 'orders' }));
    await post('mcpgateways', gateway('other', { app: 'other' }));
    await post('approvalrules', approvalRule);
    await pod('orders-1', { app: 'orders' });
    await pod('orders-bare', { app: 'orders' }, 'bare');
    await eventually(() => {
      for (const one of replicas) expect(one.board.current()).toHaveLength(2);
    });
  }, 120_000);

  afterAll(async () => {
    await Promise.all(replicas.map((one) => one.close()));
    await agent.destroy();
    await api[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test('every replica publishes the same bundle to the pod that carries the sidecar, and no other bundle', async () => {
    const token = await tokenFor('orders-1');
    const revisions = await Promise.all(
      replicas.map(async ({ controlUrl }) => {
        const bundles = await firstSet(controlUrl, token);
        expect(bundles.map(({ gateway: { name } }) => name)).toEqual(['orders']);
        expect(bundles[0]?.identity).toMatchObject([
          { kind: 'oidc', issuer: ISSUER },
          {
            kind: 'serviceAccount',
            issuer: 'https://kubernetes.default.svc.cluster.local',
            audiences: ['https://orders.example/mcp'],
            jwks: { keys: [{ kty: 'RSA' }] },
          },
        ]);
        expect(bundles[0]?.server.url).toBe('http://127.0.0.1:8080/mcp');
        return bundles[0]?.revision;
      }),
    );
    expect(new Set(revisions).size).toBe(1);
  });

  test('nothing is published to a pod without the sidecar, nor to tokens of another audience or of no pod', async () => {
    const { controlUrl } = replicas[0] ?? raise();
    expect(await statusOf(controlUrl, await tokenFor('orders-1', 'gatehouse-vault'))).toBe(401);
    expect(await statusOf(controlUrl, await tokenFor(undefined))).toBe(401);
    const bare = await fetchDemand(controlUrl, await tokenFor('orders-bare'));
    expect(bare.status).toBe(403);
    const own = await firstSet(controlUrl, await tokenFor('orders-bare'), 1_500).catch(() => 'nothing');
    expect(own).toBe('nothing');
  });

  test('the status says what is so, and is written once', async () => {
    const read = async (): Promise<z.output<typeof gatewayObject>> =>
      gatewayObject.parse(await admin.request({ method: 'GET', path: `${GROUP}/mcpgateways/orders` }));
    const written = await eventually(async () => {
      const object = await read();
      expect(object.status.pods).toEqual({ guarded: 1, outdated: 0, unguarded: 1 });
      return object;
    });
    const facts = written.status.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
    expect(facts).toEqual([
      'Accepted=True Accepted',
      'Programmed=True Programmed',
      'Ready=False PodsUnguarded',
    ]);
    expect(written.status.observedGeneration).toBe(written.metadata.generation);
    expect(written.status.bundle).toBe(replicas[0]?.board.bundle('tools/orders')?.revision);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await read()).metadata.resourceVersion).toBe(written.metadata.resourceVersion);
  });

  test('why a pod is not guarded is an event on it', async () => {
    const events = z.object({
      items: z.array(z.object({ note: z.string(), regarding: z.object({ name: z.string() }) })),
    });
    const found = await eventually(async () => {
      const { items } = events.parse(
        await admin.request({ method: 'GET', path: '/apis/events.k8s.io/v1/namespaces/tools/events' }),
      );
      expect(items).not.toEqual([]);
      return items;
    });
    expect(found).toMatchObject([{ regarding: { name: 'orders-bare' } }]);
    expect(found[0]?.note).toContain('gatehouse.dev/inject');
  });

  test('a held call is an object that kubectl decides, and is consumed once whichever replica is asked', async () => {
    const token = await tokenFor('orders-1');
    const [a, b] = [replicas[0] ?? raise(), replicas[1] ?? raise()];
    const opened = await fetchDemand(a.controlUrl, token);
    expect(opened.status).toBe(200);
    const { id } = approvalView.parse(opened.body);
    const path = `${GROUP}/approvalrequests/${id}`;
    const waiting = ask(b.controlUrl, `/v1/approvals/${id}?wait=20000`, token);
    const decision = {
      by: 'dora',
      verdict: 'Approve',
      via: 'kubectl',
      at: new Date().toISOString(),
    };
    await admin.request({
      method: 'PATCH',
      patch: 'json',
      path,
      body: [{ op: 'add', path: '/spec/decisions/-', value: decision }],
    });
    expect((await waiting).body).toMatchObject({ phase: 'Approved', decidedBy: ['dora'] });
    const digest = demand.call.digest;
    const consumed = await Promise.all(
      [a, b, a, b].map(({ controlUrl }) => ask(controlUrl, `/v1/approvals/${id}/consume`, token, { digest })),
    );
    expect(consumed.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    await expect(
      admin.request({
        method: 'PATCH',
        patch: 'merge',
        path,
        body: { spec: { requester: { username: 'somebody' } } },
      }),
    ).rejects.toThrow(/must not change requester/);
  });

  test('pods that meet different definitions of a tool at once hold by the same one, and the status says which changed', async () => {
    const token = await tokenFor('orders-1');
    const [a, b] = [replicas[0] ?? raise(), replicas[1] ?? raise()];
    const seen = (digit: string): object => ({
      gateway: 'tools/orders',
      tools: [
        { name: 'query', digest: `sha256:${digit.repeat(64)}` },
        { name: `only-${digit}`, digest: `sha256:${'9'.repeat(64)}` },
      ],
    });
    const tell = async ({ controlUrl }: ClusterOperator, body: object): Promise<number> =>
      (await ask(controlUrl, '/v1/tools', token, body)).status;
    expect(await Promise.all([tell(a, seen('1')), tell(b, seen('2'))])).toEqual([204, 204]);
    expect(await tell(a, { ...seen('1'), gateway: 'tools/other' })).toBe(403);

    const read = async () =>
      withTools.parse(await admin.request({ method: 'GET', path: `${GROUP}/mcpgateways/orders` }));
    const written = await eventually(async () => {
      const object = await read();
      expect(object.status.warnings.join()).toContain('the tool "query" has changed since it was accepted');
      return object;
    });
    const { tools } = written.status;
    expect(tools.map(({ name }) => name).sort()).toEqual(['only-1', 'only-2', 'query']);
    const query = tools.find(({ name }) => name === 'query');
    expect([query?.digest, query?.seen].sort()).toEqual([
      `sha256:${'1'.repeat(64)}`,
      `sha256:${'2'.repeat(64)}`,
    ]);
    await eventually(() => {
      for (const { board } of [a, b]) {
        const pins = board.bundle('tools/orders')?.firstSeen.pins ?? [];
        expect(pins.find(({ name }) => name === 'query')?.digest).toBe(query?.digest);
      }
    });
    const again = await firstSet(b.controlUrl, token);
    expect(again[0]?.firstSeen.pins).toHaveLength(3);
    // What the leader writes of the rest leaves the tools as they are, and nobody writes without end.
    const versions = new Set<string>();
    for (let look = 0; look < 20; look += 1) {
      versions.add((await read()).metadata.resourceVersion);
      await delay(50);
    }
    expect(versions.size).toBeLessThanOrEqual(2);
    expect((await read()).status.tools).toEqual(tools);

    const accept = { name: 'query', digest: query?.seen };
    await admin.request({
      method: 'PATCH',
      patch: 'merge',
      path: `${GROUP}/mcpgateways/orders`,
      body: { spec: { tools: { pins: [accept] } } },
    });
    await eventually(async () => {
      expect((await read()).status.warnings).toEqual([]);
      for (const { board } of [a, b]) expect(board.bundle('tools/orders')?.tools.pins).toEqual([accept]);
    });
  });

  test('gatehouse approvals decides as the user of the kubeconfig', async () => {
    const token = await tokenFor('orders-1');
    const { controlUrl } = replicas[0] ?? raise();
    const other = { ...demand, call: { ...demand.call, digest: 'f'.repeat(64) } };
    const { id } = approvalView.parse((await ask(controlUrl, '/v1/approvals', token, other)).body);
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(kubeconfig, api.kubeconfig('admin'));
    const said = await gatehouse('approvals', 'list', '--kubeconfig', kubeconfig);
    expect(said).toContain(id);
    expect(await gatehouse('approvals', 'deny', id, '--kubeconfig', kubeconfig)).toBe(`${id} denied.\n`);
    expect((await ask(controlUrl, `/v1/approvals/${id}?wait=5000`, token)).body).toMatchObject({
      phase: 'Denied',
      decidedBy: ['admin'],
    });
  });

  test('the requester cannot approve their own call with kubectl', async () => {
    const token = await tokenFor('orders-1');
    const { controlUrl } = replicas[0] ?? raise();
    const own = { ...demand, call: { ...demand.call, digest: 'e'.repeat(64) } };
    const { id } = approvalView.parse((await ask(controlUrl, '/v1/approvals', token, own)).body);
    const decision = {
      by: 'sam@example.test',
      verdict: 'Approve',
      via: 'kubectl',
      at: new Date().toISOString(),
    };
    await admin.request({
      method: 'PATCH',
      patch: 'json',
      path: `${GROUP}/approvalrequests/${id}`,
      body: [{ op: 'add', path: '/spec/decisions/-', value: decision }],
    });
    const seen = await ask(controlUrl, `/v1/approvals/${id}?wait=1500`, token);
    expect(seen.body).toMatchObject({ phase: 'Pending' });
  });

  test('a Service that leads to the pods is a name that clients may call them by', async () => {
    const token = await tokenFor('orders-1');
    const { controlUrl } = replicas[0] ?? raise();
    expect((await firstSet(controlUrl, token))[0]?.hosts).toBeUndefined();
    const created = z.object({ spec: z.object({ clusterIP: z.ipv4() }) }).parse(
      await admin.request({
        method: 'POST',
        path: '/api/v1/namespaces/tools/services',
        body: { metadata: { name: 'api' }, spec: { selector: { app: 'orders' }, ports: [{ port: 80 }] } },
      }),
    );
    const hosts = await eventually(async () => {
      const [bundle] = await firstSet(controlUrl, token);
      expect(bundle?.hosts).toBeDefined();
      return bundle?.hosts;
    });
    expect(hosts).toEqual(
      expect.arrayContaining(['api', 'api.tools.svc', 'api.tools.svc:80', created.spec.clusterIP]),
    );
  });

  test('descriptor sets come from ConfigMaps that bear the label, and from no other', async () => {
    const set = (await compileProtos({ 'orders.proto': ORDERS_PROTO })).toString('base64');
    const path = '/api/v1/namespaces/tools/configmaps';
    const configMap = { metadata: { name: 'protos' }, binaryData: { 'orders.binpb': set } };
    await admin.request({ method: 'POST', path, body: configMap });
    await post('maskingpolicies', cards);
    const accepted = async (): Promise<unknown> => {
      const object = await admin.request({ method: 'GET', path: `${GROUP}/maskingpolicies/cards` });
      return policyObject.parse(object).status.conditions.find(({ type }) => type === 'Accepted');
    };
    await eventually(async () => {
      expect(await accepted()).toMatchObject({ status: 'False', reason: 'DescriptorNotFound' });
    });
    const label = { 'gatehouse.dev/descriptor': 'true' };
    await admin.request({
      method: 'PATCH',
      patch: 'merge',
      path: `${path}/protos`,
      body: { metadata: { labels: label } },
    });
    await eventually(async () => {
      expect(await accepted()).toMatchObject({ status: 'True' });
    });
    const token = await tokenFor('orders-1');
    await eventually(async () => {
      const [bundle] = await firstSet(replicas[0]?.controlUrl ?? '', token);
      expect(bundle?.masking[0]?.protobuf?.[0]?.descriptorSet).toBe(set);
    });
    await admin.request({
      method: 'PATCH',
      patch: 'merge',
      path: `${path}/protos`,
      body: { binaryData: { 'orders.binpb': 'aGVsbG8=' } },
    });
    await eventually(async () => {
      expect(await accepted()).toMatchObject({ status: 'False', reason: 'DescriptorInvalid' });
    });
    await admin.request({ method: 'DELETE', path: `${GROUP}/maskingpolicies/cards` });
    await eventually(() => {
      for (const one of replicas) expect(one.board.current()).toHaveLength(2);
    });
  });

  test('a change reaches the sidecar, and the other replica leads when the leader leaves', async () => {
    expect(replicas.filter((one) => one.leads())).toHaveLength(1);
    const leader = replicas.findIndex((one) => one.leads());
    const [gone] = replicas.splice(leader, 1);
    await gone?.close();
    const left = replicas[0] ?? raise();
    await eventually(() => {
      expect(left.leads()).toBe(true);
    });
    const token = await tokenFor('orders-1');
    const before = (await firstSet(left.controlUrl, token))[0]?.revision;
    await admin.request({
      method: 'PATCH',
      patch: 'merge',
      path: `${GROUP}/mcpgateways/orders`,
      body: { spec: { limits: { callsPerMinute: 7 } } },
    });
    await eventually(async () => {
      expect((await firstSet(left.controlUrl, token))[0]?.revision).not.toBe(before);
    });
    await eventually(async () => {
      const object = gatewayObject.parse(
        await admin.request({ method: 'GET', path: `${GROUP}/mcpgateways/orders` }),
      );
      expect(object.status.observedGeneration).toBe(object.metadata.generation);
    });
  });
});

const withTools = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  status: z.object({
    warnings: z.array(z.string()).default([]),
    tools: z.array(z.object({ name: z.string(), digest: z.string(), seen: z.string().optional() })),
  }),
});

const gatewayObject = z.object({
  metadata: z.object({ generation: z.number(), resourceVersion: z.string() }),
  status: z.object({
    observedGeneration: z.number(),
    bundle: z.string(),
    pods: z.unknown(),
    conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string() })),
  }),
});

const policyObject = z.object({
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string() })) })
    .prefault({ conditions: [] }),
});

const cards = {
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'MaskingPolicy',
  metadata: { name: 'cards' },
  spec: {
    targetRefs: [{ name: 'orders' }],
    protobuf: [
      {
        mimeType: 'application/x-protobuf',
        descriptorConfigMap: { name: 'protos', key: 'orders.binpb' },
        message: 'acme.Order',
        fields: ['card.number'],
      },
    ],
  },
};

const demand: ApprovalDemand = {
  gateway: 'tools/orders',
  rule: { name: 'tools/deletes', revision: '' },
  requester: {
    provider: 'staff',
    issuer: ISSUER,
    subject: 'u-1',
    username: 'sam@example.test',
    groups: ['support'],
  },
  call: {
    server: 'tools/orders',
    tool: 'delete',
    digest: 'd'.repeat(64),
    preview: '{}',
    risk: 70,
    parsed: { classes: [], targets: [], risk: [] },
  },
};

const approvalRule = {
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'ApprovalRule',
  metadata: { name: 'deletes' },
  spec: { targetRefs: [{ name: 'orders' }], match: { tools: ['delete'] }, approvers: { groups: ['dba'] } },
};

function gateway(name: string, matchLabels: Record<string, string>): object {
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { name },
    spec: {
      selector: { matchLabels },
      server: { port: 8080 },
      publicUrl: 'https://orders.example/mcp',
      identity: [
        { name: 'staff', oidc: { issuer: ISSUER, usernameClaim: 'email' } },
        { name: 'agents', serviceAccount: {} },
      ],
      access: [{ authenticated: true, tools: ['*'] }],
    },
  };
}

async function post(plural: string, body: object): Promise<void> {
  await admin.request({ method: 'POST', path: `${GROUP}/${plural}`, body });
}

async function pod(name: string, labels: Record<string, string>, bare?: 'bare'): Promise<void> {
  const sidecar = {
    name: 'gatehouse-proxy',
    image: 'gatehouse',
    restartPolicy: 'Always',
    volumeMounts: [{ name: 'gatehouse-token', mountPath: '/token' }],
  };
  const source = { serviceAccountToken: { audience: 'gatehouse-control', path: 'token' } };
  await admin.request({
    method: 'POST',
    path: '/api/v1/namespaces/tools/pods',
    body: {
      metadata: { name, labels },
      spec: {
        serviceAccountName: 'orders',
        containers: [{ name: 'server', image: 'server' }],
        ...(bare === undefined && {
          initContainers: [sidecar],
          volumes: [{ name: 'gatehouse-token', projected: { sources: [source] } }],
        }),
      },
    },
  });
}

/** A token as the kubelet would ask for it; without a pod it names none. */
async function tokenFor(podName: string | undefined, audience = 'gatehouse-control'): Promise<string> {
  const boundObjectRef = podName && {
    apiVersion: 'v1',
    kind: 'Pod',
    name: podName,
    uid: z
      .object({ metadata: z.object({ uid: z.string() }) })
      .parse(await admin.request({ method: 'GET', path: `/api/v1/namespaces/tools/pods/${podName}` }))
      .metadata.uid,
  };
  const answer = await admin.request({
    method: 'POST',
    path: '/api/v1/namespaces/tools/serviceaccounts/orders/token',
    body: { spec: { audiences: [audience], ...(boundObjectRef && { boundObjectRef }) } },
  });
  return z.object({ status: z.object({ token: z.string() }) }).parse(answer).status.token;
}

async function ask(
  base: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await request(new URL(path, base), {
    method: body === undefined ? 'GET' : 'POST',
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.body.text();
  return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text) };
}

function fetchDemand(base: string, token: string): Promise<{ status: number; body: unknown }> {
  const revision = replicas[0]?.board.rule('tools/orders', 'tools/deletes')?.revision ?? '';
  demand.rule.revision = revision;
  return ask(base, '/v1/approvals', token, demand);
}

async function statusOf(base: string, token: string): Promise<number> {
  return (await ask(base, '/v1/approvals/none', token)).status;
}

/** The first set of bundles; rejects when there is none in time. */
async function firstSet(
  base: string,
  token: string,
  withinMs = 10_000,
): Promise<Extract<z.output<typeof bundleFrame>, { type: 'bundles' }>['bundles']> {
  const signal = AbortSignal.timeout(withinMs);
  const response = await request(new URL('/v1/bundles', base), {
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}` },
    signal,
  });
  expect(response.statusCode).toBe(200);
  // Hanging up is no error here.
  response.body.on('error', () => undefined);
  let text = '';
  for await (const chunk of response.body) {
    text += String(chunk);
    for (const line of text.split('\n').slice(0, -1)) {
      const frame = bundleFrame.parse(JSON.parse(line));
      if (frame.type === 'bundles') return frame.bundles;
    }
  }
  throw new Error('The stream ended without a set.');
}

/** What a verb prints; fails the test when it is not done. */
async function gatehouse(...args: readonly string[]): Promise<string> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const code = await main(args, { stdin, stdout, stderr, stop: new AbortController().signal });
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  expect([code, text(stderr)]).toEqual([0, '']);
  return text(stdout);
}

function raise(): never {
  throw new Error('There is no such replica.');
}
