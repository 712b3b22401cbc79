/** A real API server with its etcd on loopback, for tests that need its rules and no pods that run. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { openKubeClient, type KubeClient } from '../../operator/source/kubernetes/client.ts';
import { kubernetes } from '../../hack/tools/parts.ts';
import { freePort } from '../fixtures/child.ts';

const ETCD = '/usr/bin/etcd';
const READY_MS = 60_000;

export interface ApiServer extends AsyncDisposable {
  /** A client of one of the users; `admin` may do everything. */
  readonly as: (user: string) => KubeClient;
  readonly kubeconfig: (user: string) => string;
}

export function hasApiServer(): boolean {
  return existsSync(ETCD) && existsSync(kubernetes.file('kube-apiserver'));
}

/** `users`: names and the groups that each is in, beside `admin`. With `serviceAccounts` pods get theirs, which the test makes. */
export async function startApiServer(
  users: Readonly<Record<string, readonly string[]>> = {},
  options: { readonly serviceAccounts?: boolean } = {},
): Promise<ApiServer> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-api-server-'));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const server = `https://127.0.0.1:${port}`;
  const tokens = new Map(
    Object.entries({ admin: ['system:masters'], ...users }).map(([name, groups]) => [
      name,
      { token: randomBytes(16).toString('hex'), groups },
    ]),
  );
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = join(directory, 'service-accounts.key');
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const lines = [...tokens].map(
    ([name, { token, groups }]) => `${token},${name},${name},"${groups.join(',')}"`,
  );
  await writeFile(join(directory, 'tokens.csv'), `${lines.join('\n')}\n`);
  const processes = [
    start(ETCD, [
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
    ]),
    start(kubernetes.file('kube-apiserver'), [
      `--etcd-servers=http://127.0.0.1:${client}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(directory, 'certificates')}`,
      `--token-auth-file=${join(directory, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      // Without a controller manager nobody makes the account that every pod would have.
      ...(options.serviceAccounts === true ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ]),
  ];
  const kubeconfig = (user: string): string => kubeconfigFor(server, tokens.get(user)?.token ?? '');
  const clients: KubeClient[] = [];
  const as = (user: string): KubeClient => {
    const opened = openKubeClient({ from: 'text', kubeconfig: kubeconfig(user) });
    clients.push(opened);
    return opened;
  };
  const dispose = async (): Promise<void> => {
    await Promise.all(clients.map((one) => one.close()));
    for (const child of processes.reverse()) await stop(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await ready(as('admin'), processes);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { as, kubeconfig, [Symbol.asyncDispose]: dispose };
}

/** The kinds of Gatehouse, as helm would install them, and served. */
export async function installKinds(client: KubeClient): Promise<void> {
  const folder = join(import.meta.dirname, '..', '..', 'crds');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  for (const name of files) {
    const body: unknown = parse(await readFile(join(folder, name), 'utf8'));
    await client.request({
      method: 'POST',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      body,
    });
  }
  for (const plural of ['mcpgateways', 'maskingpolicies', 'approvalrules', 'approvalrequests']) {
    await eventually(() => client.request({ method: 'GET', path: `/apis/gatehouse.dev/v1alpha1/${plural}` }));
  }
}

/** What `attempt` returns, once it does not throw. */
export async function eventually<T>(attempt: () => Promise<T> | T, withinMs = 20_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(50);
    }
  }
}

async function ready(client: KubeClient, processes: readonly ChildProcess[]): Promise<void> {
  await eventually(async () => {
    if (processes.some((child) => child.exitCode !== null)) return;
    await client.request({ method: 'GET', path: '/api/v1/namespaces/default' });
  }, READY_MS);
  const ended = processes.find((child) => child.exitCode !== null);
  if (ended !== undefined) throw new Error(`${ended.spawnfile} ended with ${String(ended.exitCode)}.`);
}

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function kubeconfigFor(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token } }],
  });
}
