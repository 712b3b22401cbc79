/** The naive side: the same pods with a sidecar that nothing but good will keeps in its place. */
import type { Cluster } from '../cluster.ts';
import type { Side } from './attempt.ts';
import { SLEEP, userPod, withNaiveSidecar, type Pod } from './pods.ts';

const LABELS = { app: 'orders' };

export interface SideOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly client: Side['client'];
}

/** With `rules`, the network leads to the sidecar, and only the containers are left to themselves. */
export async function naiveSide(options: SideOptions, rules: boolean): Promise<Side> {
  const { cluster, namespace } = options;
  const complete = (pod: Pod): Pod => withNaiveSidecar(cluster, pod, rules);
  const podNamed = (name: string): Pod => userPod(cluster, name, LABELS);
  const target = rules ? 'ruled' : 'open';
  await cluster.apply([complete(podNamed(target))], namespace);
  await cluster.waitFor(`pod/${target}`, 'Ready', namespace);
  return {
    kind: 'naive',
    ...options,
    target,
    ips: await addressesOf(options, target),
    sidecar: {
      container: 'sidecar',
      token: '/token/token',
      volume: 'sidecar-token',
      audience: 'naive-control',
    },
    podNamed,
    complete,
  };
}

export async function addressesOf({ cluster, namespace }: SideOptions, pod: string): Promise<Side['ips']> {
  const path = '--output=jsonpath={.status.podIPs[*].ip}';
  const text = await cluster.kubectl(['get', 'pod', pod, `--namespace=${namespace}`, path]);
  const [v4 = '', v6] = text.split(' ');
  return { v4, v6 };
}

/** A pod that only calls others. */
export async function makeClient(cluster: Cluster, namespace: string): Promise<Side['client']> {
  const pod = 'client';
  const manifest = userPod(cluster, pod, { app: 'client' });
  const containers = [{ name: 'client', image: cluster.images.node, args: ['--eval', SLEEP] }];
  await cluster.apply([{ ...manifest, spec: { ...manifest.spec, containers } }], namespace);
  await cluster.waitFor(`pod/${pod}`, 'Ready', namespace);
  return { namespace, pod };
}
