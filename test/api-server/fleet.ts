/** An operator process over a real API server, and simulated sidecars: real pods as objects, real tokens, real streams. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { createLogger } from '../../lib/log.ts';
import { openPki } from '../../operator/keys/pki.ts';
import type { KubeClient } from '../../operator/source/kubernetes/client.ts';
import { followBundles } from '../../proxy/control/bundles.ts';
import { ControlClient } from '../../proxy/control/client.ts';
import { startNode } from '../fixtures/child.ts';
import { eventually, installKinds, startApiServer } from './api-server.ts';

const GATEWAY = '/apis/gatehouse.dev/v1alpha1/namespaces/tools/mcpgateways/orders';
const PODS = '/api/v1/namespaces/tools/pods';
const AT_ONCE = 10;

/** When each sidecar had the newest policy, milliseconds after it was written. */
export interface Spread {
  readonly afterMs: readonly number[];
}

export interface Fleet extends AsyncDisposable {
  /** Edits the policy once and waits until every sidecar has it. */
  edit(): Promise<Spread>;
  /** How many streams were opened since the start. */
  readonly opened: () => number;
  /** Ends the sidecars; what they had to complain about. */
  readonly complaints: () => Promise<string>;
}

/** What happens when it is told to start and not before: an API server, the operator, pods and sidecars. */
export async function startFleet(size: number): Promise<Fleet> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-fleet-'));
  const ends: (() => PromiseLike<unknown>)[] = [() => rm(directory, { recursive: true })];
  const dispose = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const api = await startApiServer();
    ends.push(() => api[Symbol.asyncDispose]());
    const admin = api.as('admin');
    await prepare(admin);
    await writeFile(join(directory, 'kubeconfig'), api.kubeconfig('admin'));
    const operator = await startOperatorProcess(directory);
    ends.push(operator.stop);
    const tokens = await inTurns(size, (index) => podWithToken(admin, `orders-${index}`));
    return { ...follow(tokens, { ...operator, admin, ends }), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface Parts {
  readonly url: string;
  readonly ca: string;
  readonly admin: KubeClient;
  readonly ends: (() => PromiseLike<unknown>)[];
}

function follow(tokens: readonly string[], { url, ca, admin, ends }: Parts): Omit<Fleet, symbol> {
  const stop = new AbortController();
  const lines = new PassThrough();
  const log = createLogger({ name: 'fleet', level: 'warn' }, lines);
  const said = text(lines);
  /** The limit that each sidecar was told last, which every edit changes, and when. */
  const told = tokens.map(() => ({ limit: 0, at: 0 }));
  let opened = 0;
  const running = tokens.map(async (token, index) => {
    const client = new ControlClient({
      url,
      ca: () => Promise.resolve(ca),
      token: () => ((opened += 1), Promise.resolve(token)),
    });
    const onBundles = ({ bundles }: { bundles: readonly { limits: { callsPerMinute: number } }[] }) => {
      told[index] = { limit: bundles[0]?.limits.callsPerMinute ?? 0, at: performance.now() };
      return Promise.resolve();
    };
    await followBundles({ client, log, onBundles, signal: stop.signal, random: Math.random });
    await client.close();
  });
  const end = async (): Promise<string> => {
    stop.abort();
    await Promise.all(running);
    lines.end();
    return said;
  };
  ends.push(end);
  let limit = 1_000;
  const edit = async (): Promise<Spread> => {
    const wanted = (limit += 1);
    const body = { spec: { limits: { callsPerMinute: wanted } } };
    const start = performance.now();
    await admin.request({ method: 'PATCH', patch: 'merge', path: GATEWAY, body });
    await eventually(() => {
      const late = told.filter((one) => one.limit !== wanted).length;
      if (late > 0) throw new Error(`${late} of ${told.length} sidecars have not got the policy.`);
    }, 60_000);
    return { afterMs: told.map(({ at }) => at - start) };
  };
  return { edit, opened: () => opened, complaints: end };
}

async function startOperatorProcess(
  directory: string,
): Promise<{ url: string; ca: string; stop: () => Promise<void> }> {
  const pki = await openPki(directory, Date.now());
  const { certFile, keyFile } = await pki.server('control', ['127.0.0.1'], Date.now());
  const child = startNode([resolve(import.meta.dirname, '../../cli/main.ts'), 'operator'], {
    env: {
      GATEHOUSE_NAMESPACE: 'gatehouse-system',
      GATEHOUSE_KUBECONFIG: join(directory, 'kubeconfig'),
      GATEHOUSE_TLS_CERT_FILE: certFile,
      GATEHOUSE_TLS_KEY_FILE: keyFile,
      GATEHOUSE_TLS_CA_FILE: pki.caFile,
      GATEHOUSE_CONTROL_LISTEN: '127.0.0.1:0',
      GATEHOUSE_WEBHOOK_LISTEN: '127.0.0.1:0',
      GATEHOUSE_ADMIN_LISTEN: '127.0.0.1:0',
      GATEHOUSE_LOG_LEVEL: 'warn',
    },
  });
  const [, url = ''] = await child.printed(/"control":"([^"]+)"/);
  return { url, ca: await readFile(pki.caFile, 'utf8'), stop: child.stop };
}

async function prepare(admin: KubeClient): Promise<void> {
  await installKinds(admin);
  const create = (path: string, body: object): Promise<unknown> =>
    admin.request({ method: 'POST', path, body });
  for (const name of ['gatehouse-system', 'tools'])
    await create('/api/v1/namespaces', { metadata: { name } });
  await create('/api/v1/namespaces/tools/serviceaccounts', { metadata: { name: 'orders' } });
  await create('/apis/gatehouse.dev/v1alpha1/namespaces/tools/mcpgateways', {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { name: 'orders' },
    spec: {
      selector: { matchLabels: { app: 'orders' } },
      server: { port: 8080 },
      publicUrl: 'https://orders.example/mcp',
      identity: [{ name: 'agents', serviceAccount: {} }],
      access: [{ authenticated: true, tools: ['*'] }],
    },
  });
}

const created = z.object({ metadata: z.object({ uid: z.string() }) });
const issued = z.object({ status: z.object({ token: z.string() }) });

/** A pod as injection leaves it, and the token that the kubelet would give its sidecar. */
async function podWithToken(admin: KubeClient, name: string): Promise<string> {
  const source = { serviceAccountToken: { audience: 'gatehouse-control', path: 'token' } };
  const sidecar = {
    name: 'gatehouse-proxy',
    image: 'gatehouse',
    restartPolicy: 'Always',
    volumeMounts: [{ name: 'gatehouse-token', mountPath: '/token' }],
  };
  const body = {
    metadata: { name, labels: { app: 'orders', 'gatehouse.dev/inject': 'true' } },
    spec: {
      serviceAccountName: 'orders',
      initContainers: [sidecar],
      containers: [{ name: 'server', image: 'server' }],
      volumes: [{ name: 'gatehouse-token', projected: { sources: [source] } }],
    },
  };
  const { uid } = created.parse(await admin.request({ method: 'POST', path: PODS, body })).metadata;
  const answer = await admin.request({
    method: 'POST',
    path: '/api/v1/namespaces/tools/serviceaccounts/orders/token',
    body: {
      spec: {
        audiences: ['gatehouse-control'],
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    },
  });
  return issued.parse(answer).status.token;
}

async function inTurns<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - from);
    made.push(...(await Promise.all(Array.from({ length }, (_, offset) => make(from + offset)))));
  }
  return made;
}
