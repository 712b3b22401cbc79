/** `gatehouse operator` as a process of its own against a real API server: starts, serves, refuses to start, ends. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { listen } from '../../lib/listen.ts';
import type { KubeClient } from '../../operator/source/kubernetes/client.ts';
import { startNode, type Child } from '../fixtures/child.ts';
import { eventually, hasApiServer, installKinds, startApiServer, type ApiServer } from './api-server.ts';

const cli = resolve(import.meta.dirname, '../../cli/main.ts');
const NAMESPACE = 'gatehouse-system';

const SETTINGS = `
injection:
  image: registry.example/gatehouse:1
  controlUrl: https://gatehouse-operator.gatehouse-system.svc:8443
  recorderUrl: https://gatehouse-recorder.gatehouse-system.svc:8443
  resolvers: [10.96.0.10]
`;

const listening = z.object({
  listening: z.literal(true),
  control: z.url(),
  webhooks: z.url(),
  admin: z.url(),
});
const lease = z.object({ spec: z.object({ holderIdentity: z.string().optional() }) });

let api: ApiServer;
let admin: KubeClient;
let directory: string;

const start = (env: Readonly<Record<string, string>> = {}): Child =>
  startNode([cli, 'operator'], {
    env: {
      GATEHOUSE_NAMESPACE: NAMESPACE,
      GATEHOUSE_KUBECONFIG: join(directory, 'kubeconfig'),
      GATEHOUSE_SETTINGS_FILE: join(directory, 'settings.yaml'),
      GATEHOUSE_POD_NAME: 'operator-0',
      GATEHOUSE_CONTROL_LISTEN: '127.0.0.1:0',
      GATEHOUSE_WEBHOOK_LISTEN: '127.0.0.1:0',
      GATEHOUSE_ADMIN_LISTEN: '127.0.0.1:0',
      ...env,
    },
  });

const addresses = async (child: Child): Promise<z.output<typeof listening>> => {
  const [line] = await child.printed(/^\{"listening".*\}$/m);
  return listening.parse(JSON.parse(line));
};

describe.skipIf(!hasApiServer())('the process of the operator', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gatehouse-process-'));
    api = await startApiServer();
    admin = api.as('admin');
    await installKinds(admin);
    const path = '/api/v1/namespaces';
    await admin.request({ method: 'POST', path, body: { metadata: { name: NAMESPACE } } });
    await writeFile(join(directory, 'kubeconfig'), api.kubeconfig('admin'));
    await writeFile(join(directory, 'settings.yaml'), SETTINGS);
  }, 120_000);

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test('says where it listens, is ready once it knows the cluster, and ends in order when told to', async () => {
    await using child = start();
    const { control, webhooks, admin: health } = await addresses(child);
    await eventually(async () => {
      expect((await request(`${health}/readyz`)).statusCode).toBe(200);
    });
    const roots = await rootsKept();
    await using trusting = new Trusting(roots);
    expect(await trusting.status(`${control}/v1/bundles`)).toBe(401);
    // A question that is none, over TLS that the kept roots vouch for.
    expect(await trusting.status(`${webhooks}/inject`, 'no review')).toBe(400);
    await eventually(async () => {
      expect(await holder()).toMatch(/^operator-0_[0-9a-f]{8}$/);
    });
    await child.stop();
    expect(child.output()).not.toMatch(/unexpectedly|UnhandledPromise/);
    // A leader that leaves says so, and the next one need not wait for the Lease to run out.
    expect(await holder()).toBeFalsy();
    await expect(request(`${health}/healthz`)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('one that starts again after kill -9 does not take its predecessor for itself', async () => {
    const first = start();
    await eventually(async () => {
      expect(await holder()).toBeTruthy();
    });
    const before = await holder();
    process.kill(first.pid, 'SIGKILL');
    await using second = start();
    await addresses(second);
    await eventually(async () => {
      const now = await holder();
      expect(now).toBeTruthy();
      expect(now).not.toBe(before);
    }, 60_000);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['a namespace', { GATEHOUSE_NAMESPACE: '' }, /GATEHOUSE_NAMESPACE is not set/],
    ['settings that are there', { GATEHOUSE_SETTINGS_FILE: '/nowhere.yaml' }, /nowhere\.yaml cannot be read/],
    ['a kubeconfig that is there', { GATEHOUSE_KUBECONFIG: '/nowhere' }, /The kubeconfig cannot be used/],
    [
      'its certificate where one is named',
      {
        GATEHOUSE_TLS_CERT_FILE: '/nowhere/tls.crt',
        GATEHOUSE_TLS_KEY_FILE: '/nowhere/tls.key',
        GATEHOUSE_TLS_CA_FILE: '/nowhere/ca.crt',
      },
      /nowhere\/(tls\.crt|tls\.key|ca\.crt)/,
    ],
  ])('without %s it ends with a sentence', async (_what, env, sentence) => {
    await using child = start(env);
    await endsWith(child, sentence);
  });

  test('without an API server it ends with a sentence, so that it is started again', async () => {
    const kubeconfig = join(directory, 'elsewhere');
    await writeFile(kubeconfig, api.kubeconfig('admin').replace(/127\.0\.0\.1:\d+/, '127.0.0.1:9'));
    await using child = start({ GATEHOUSE_KUBECONFIG: kubeconfig });
    await endsWith(child, /The API server at https:\/\/127\.0\.0\.1:9 cannot be reached/);
  });

  test.each(['GATEHOUSE_CONTROL_LISTEN', 'GATEHOUSE_WEBHOOK_LISTEN', 'GATEHOUSE_ADMIN_LISTEN'])(
    'where %s is taken it ends, whatever it had started already',
    async (variable) => {
      const other: Server = createServer();
      const { port } = await listen(other, { host: '127.0.0.1', port: 0 });
      await using child = start({ [variable]: `127.0.0.1:${port}` });
      await endsWith(child, /another process listens there already/);
      other.close();
    },
  );
});

async function endsWith(child: Child, sentence: RegExp): Promise<void> {
  await child.printed(sentence);
  await eventually(() => {
    // Signal 0 asks whether the process is there.
    expect(() => process.kill(child.pid, 0)).toThrow('ESRCH');
  });
}

async function holder(): Promise<string | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/gatehouse-operator`;
  return lease.parse(await admin.request({ method: 'GET', path })).spec.holderIdentity;
}

async function rootsKept(): Promise<string> {
  const path = `/api/v1/namespaces/${NAMESPACE}/secrets/gatehouse-recorder-tls`;
  const { data } = z
    .object({ data: z.object({ 'ca.crt': z.base64() }) })
    .parse(await admin.request({ method: 'GET', path }));
  return Buffer.from(data['ca.crt'], 'base64').toString('utf8');
}

class Trusting implements AsyncDisposable {
  readonly #agent: Agent;

  constructor(roots: string) {
    const servername = `gatehouse-operator.${NAMESPACE}.svc`;
    this.#agent = new Agent({ connect: { ca: roots, servername } });
  }

  async status(url: string, body?: string): Promise<number> {
    const method = body === undefined ? 'GET' : 'POST';
    const response = await request(url, { method, body: body ?? null, dispatcher: this.#agent });
    await response.body.dump();
    return response.statusCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}
