/** What people do in the story, and what they look at. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { run } from '../../../hack/tools/run.ts';
import { kubernetes } from '../../../hack/tools/parts.ts';
import { runOnNode } from '../../../hack/cluster/images.ts';
import { eventually, type Cluster } from '../cluster.ts';
import { ownCluster } from '../config.ts';
import { NAMESPACE } from '../installation.ts';
import { callCommand } from './manifests.ts';

/** Scratch files of the story lie in `directory`. */
export interface World {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly directory: string;
}

const called = z.union([
  z.object({ content: z.array(z.looseObject({ text: z.string() })), isError: z.boolean().optional() }),
  z.object({ error: z.string() }),
]);
const kubeconfig = z.object({ clusters: z.tuple([z.object({ cluster: z.looseObject({}) })]) });
const held = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
const leases = z.object({ spec: z.object({ holderIdentity: z.string().min(1) }) });
const pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      status: z.object({ podIP: z.string().default('') }),
    }),
  ),
});

const status = z
  .array(
    z.object({
      name: z.string(),
      containerID: z.string().default(''),
      restartCount: z.number(),
      ready: z.boolean(),
      started: z.boolean().default(false),
      state: z.object({ running: z.looseObject({}).optional() }),
    }),
  )
  .default([]);
const statuses = z.object({ status: z.object({ containerStatuses: status, initContainerStatuses: status }) });
export type ContainerStatus = z.infer<typeof status>[number];

interface Victim {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export type Pod = z.infer<typeof pods>['items'][number];

/** The text of the tool's result, or the error as the client was told it. */
export async function call({ cluster, namespace }: World, tool: string, args: object): Promise<string> {
  const printed = await cluster.exec('triage', callCommand(namespace, tool, args), { namespace });
  const answer = called.parse(JSON.parse(printed));
  if ('error' in answer) return `error: ${answer.error}`;
  const text = answer.content.map((block) => block.text).join('\n');
  return answer.isError === true ? `error: ${text}` : text;
}

/** `kubectl gatehouse approvals …` as Bo, whose kubeconfig has nothing but a token. */
export async function asBo(world: World, args: readonly string[]): Promise<string> {
  const { cluster, directory, namespace } = world;
  const config = join(directory, 'bo.kubeconfig');
  writeFileSync(config, await kubeconfigOfBo(cluster, namespace), { mode: 0o600 });
  const kubectl = kubernetes.isPresent() ? kubernetes.file('kubectl') : 'kubectl';
  const command = [kubectl, 'gatehouse', 'approvals', ...args, `--namespace=${namespace}`];
  // kubectl looks for its plugins on the PATH.
  return run('sh', ['-c', 'PATH="$0:$PATH" exec "$@"', pluginDirectory(directory), ...command], {
    env: { KUBECONFIG: config },
    timeout: 30_000,
  });
}

function pluginDirectory(directory: string): string {
  const bin = join(directory, 'bin');
  mkdirSync(bin, { recursive: true });
  const plugin = join(bin, 'kubectl-gatehouse');
  if (!existsSync(plugin)) symlinkSync(join(import.meta.dirname, '../../../hack/gatehouse'), plugin);
  return bin;
}

async function kubeconfigOfBo(cluster: Cluster, namespace: string): Promise<string> {
  const [{ cluster: server }] = kubeconfig.parse(parse(readFileSync(cluster.kubeconfig, 'utf8'))).clusters;
  const token = (
    await cluster.kubectl(['create', 'token', 'bo', `--namespace=${namespace}`, '--duration=1h'])
  ).trim();
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'story', cluster: server }],
    users: [{ name: 'bo', user: { token } }],
    contexts: [{ name: 'story', context: { cluster: 'story', user: 'bo' } }],
    'current-context': 'story',
  });
}

/** The call that waits, as soon as it does. */
export function heldCall(world: World): Promise<string> {
  return eventually(async () => {
    const { items } = held.parse(JSON.parse(await asBo(world, ['list', '--output', 'json'])));
    const [first] = items;
    if (first === undefined) throw new Error('No call waits for a decision.');
    return first.metadata.name;
  });
}

/** Pods with these labels that are not about to go. */
export async function podsOf(cluster: Cluster, namespace: string, selector: string): Promise<readonly Pod[]> {
  const args = ['get', 'pods', `--namespace=${namespace}`, `--selector=${selector}`, '--output=json'];
  const { items } = pods.parse(JSON.parse(await cluster.kubectl(args)));
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

export async function guardedPod({ cluster, namespace }: World): Promise<Pod> {
  const [pod] = await podsOf(cluster, namespace, 'app=everything');
  if (pod === undefined) throw new Error('The Deployment has no pod.');
  return pod;
}

/** Reads the recorder's store with the CLI of its own image. */
export function sessions({ cluster }: World, command: string, ...options: string[]): Promise<string> {
  const args = ['gatehouse', 'sessions', command, '--store', '/var/lib/gatehouse/log', ...options];
  return cluster.exec('gatehouse-recorder-0', args, { namespace: NAMESPACE });
}

/** The operator's process that holds the Lease, and its pod: one that was started again in that pod is another process. */
export async function leader({
  cluster,
}: World): Promise<{ readonly pod: string; readonly process: string }> {
  const lease = await cluster.get(leases, 'lease/gatehouse-operator', NAMESPACE);
  const process = lease.spec.holderIdentity;
  return { pod: process.replace(/_[^_]*$/, ''), process };
}

export async function containerOf(
  { cluster }: World,
  { namespace, pod, container }: Victim,
): Promise<ContainerStatus> {
  const { status } = await cluster.get(statuses, `pod/${pod}`, namespace);
  const all = [...status.containerStatuses, ...status.initContainerStatuses];
  const found = all.find(({ name }) => name === container);
  if (found === undefined) throw new Error(`${pod} has no container ${container}.`);
  return found;
}

/** Ends a container with SIGKILL; where the node is not ours, its whole pod. */
export async function kill(world: World, { namespace, pod, container }: Victim): Promise<void> {
  const layout = ownCluster();
  if (layout === undefined) return killPods(world, [pod], namespace);
  const { containerID } = await containerOf(world, { namespace, pod, container });
  const id = containerID.replace('containerd://', '');
  await runOnNode(layout, ['ctr', '--namespace=k8s.io', 'tasks', 'kill', '--signal=SIGKILL', id]);
}

export async function killPods(
  { cluster }: World,
  names: readonly string[],
  namespace = NAMESPACE,
): Promise<void> {
  const how = ['--grace-period=0', '--force', `--namespace=${namespace}`];
  await cluster.kubectl(['delete', 'pod', ...names, ...how]);
}

/** A page of metrics, read from within the cluster. */
export function metricsOf({ cluster, namespace }: World, url: string): Promise<string> {
  const code = `console.log(await (await fetch(${JSON.stringify(url)})).text())`;
  return cluster.script('triage', code, { namespace });
}
