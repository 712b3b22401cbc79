/** The chart, installed by helm on a real API server, with the admission webhooks served from this process. */
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { helm, kubernetes, missingSentence } from '../../hack/tools/parts.ts';
import { run } from '../../hack/tools/run.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificateKeeper } from '../../operator/inject/certificate-keeper.ts';
import { rootsOf } from '../../operator/inject/certificate-plan.ts';
import { createWebhooks, targetsOf } from '../../operator/inject/webhooks.ts';
import { startTlsServer } from '../../operator/publish/tls-server.ts';
import type { KubeClient } from '../../operator/source/kubernetes/client.ts';
import { candidatesOf } from '../../operator/source/kubernetes/guarded-pods.ts';
import { startKubernetesSource } from '../../operator/source/kubernetes/source.ts';
import { settings } from '../fixtures/inject.ts';
import { eventually, hasApiServer, startApiServer, type ApiServer } from './api-server.ts';

export const CHART = join(import.meta.dirname, '../../charts/gatehouse');
export const OPERATOR = 'system:serviceaccount:gatehouse-system:gatehouse-operator';
export const NAMESPACE = 'gatehouse-system';
const IMAGE = 'registry.example/gatehouse';

/** Why the tests that need an API server and helm cannot run here; undefined where they can. */
export function whyNotInstalled(): string | undefined {
  return hasApiServer() ? missingSentence([helm]) : missingSentence([kubernetes, helm]);
}

export interface Installed extends AsyncDisposable {
  readonly api: ApiServer;
  readonly admin: KubeClient;
  readonly kubeconfigFile: (user: string) => string;
  readonly helm: (args: readonly string[]) => Promise<string>;
  readonly kubectl: (user: string, args: readonly string[], input?: string) => Promise<string>;
}

/** Users may do everything that policies do not forbid, so that no refusal is RBAC's. */
export async function install(users: Readonly<Record<string, readonly string[]>>): Promise<Installed> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-installed-'));
  const api = await startApiServer({ ...users, [OPERATOR]: [] }, { serviceAccounts: true });
  const undo: (() => PromiseLike<unknown>)[] = [
    () => rm(directory, { recursive: true, force: true }),
    () => api[Symbol.asyncDispose](),
  ];
  const dispose = async (): Promise<void> => {
    for (const one of undo.reverse()) await one();
  };
  try {
    const names = ['admin', OPERATOR, ...Object.keys(users)];
    const file = (user: string): string => join(directory, `${names.indexOf(user)}.kubeconfig`);
    for (const name of names) await writeFile(file(name), api.kubeconfig(name));
    const runHelm = (args: readonly string[]): Promise<string> =>
      run(helm.file('helm'), args, {
        env: { KUBECONFIG: file('admin'), HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory },
      });
    const admin = api.as('admin');
    await admin.request({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'tools' } },
    });
    for (const namespace of ['tools', 'kube-system']) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await admin.request({ method: 'POST', path, body: { metadata: { name: 'default' } } });
    }
    await everyoneMayDoEverything(admin);
    await runHelm([
      'install',
      'gatehouse',
      CHART,
      `--namespace=${NAMESPACE}`,
      '--create-namespace',
      ...chartValues,
    ]);
    undo.push(await serveWebhooks(admin));
    return {
      api,
      admin,
      kubeconfigFile: file,
      helm: runHelm,
      kubectl: (user, args, input) =>
        run(kubernetes.file('kubectl'), [`--kubeconfig=${file(user)}`, ...args], {
          env: { HOME: directory },
          ...(input !== undefined && { input }),
        }),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

export const chartValues = ['--set', `image.repository=${IMAGE}`, '--set', 'network.resolvers={10.96.0.10}'];

async function everyoneMayDoEverything(admin: KubeClient): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await admin.request({
    method: 'POST',
    path: `/apis/${apiGroup}/v1/clusterrolebindings`,
    body: {
      metadata: { name: 'everyone' },
      roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup, kind: 'Group', name: 'system:authenticated' }],
    },
  });
}

/** As the operator serves them, but on loopback, where the API server of a test finds them by URL. */
async function serveWebhooks(admin: KubeClient): Promise<() => Promise<void>> {
  const deps = { client: admin, clock: systemClock, log: silentLogger(), random: Math.random };
  const keeper = createCertificateKeeper(
    {
      namespace: NAMESPACE,
      servers: { operator: ['127.0.0.1'], recorder: ['127.0.0.1'] },
      secrets: { recorder: 'gatehouse-recorder-tls' },
      webhooks: 'gatehouse',
    },
    { client: admin, now: Date.now },
  );
  const first = await keeper.refresh();
  const webhooks = createWebhooks(
    () => ({ ...settings, image: `${IMAGE}:0.1.0`, ca: rootsOf(first), probeKey: first.probeKey }),
    deps.log,
  );
  const server = await startTlsServer(
    webhooks.app,
    {
      listen: { host: '127.0.0.1', port: 0 },
      certificate: async () => (await keeper.refresh()).leaves['operator'] ?? { cert: '', key: '' },
      checkEveryMs: 60_000,
    },
    deps,
  );
  for (const [kind, path] of [
    ['mutating', 'inject'],
    ['validating', 'validate'],
  ]) {
    await admin.request({
      method: 'PATCH',
      patch: 'json',
      path: `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/gatehouse`,
      body: [
        { op: 'remove', path: '/webhooks/0/clientConfig/service' },
        { op: 'add', path: '/webhooks/0/clientConfig/url', value: `${server.url}/${path}` },
      ],
    });
  }
  const source = startKubernetesSource((snapshot) => {
    webhooks.take({
      candidates: candidatesOf(snapshot),
      services: snapshot.services.map(targetsOf),
      configMaps: snapshot.configMaps,
    });
  }, deps);
  await eventually(() => {
    if (!source.hasSynced()) throw new Error('The cluster is not known yet.');
  });
  return async () => {
    await source.stop();
    await server.close();
  };
}
