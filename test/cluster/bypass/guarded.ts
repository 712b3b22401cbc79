/** The guarded side: a namespace with a gateway, in a cluster with Gatehouse. */
import type { Cluster } from '../cluster.ts';
import type { Side } from './attempt.ts';
import { addressesOf, type SideOptions } from './naive.ts';
import { PORTS, userPod, type Pod } from './pods.ts';
import { HOST } from './scripts.ts';

const LABELS = { app: 'orders', 'gatehouse.dev/inject': 'true' };

const gateway = {
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'McpGateway',
  metadata: { name: 'orders' },
  spec: {
    selector: { matchLabels: { app: 'orders' } },
    server: { container: 'server', port: PORTS.server },
    publicUrl: `http://${HOST}/mcp`,
    identity: [{ name: 'agents', serviceAccount: {} }],
    access: [{ serviceAccounts: ['nowhere/nobody'], tools: ['*'] }],
  },
};

export async function guardedSide(options: SideOptions): Promise<Side> {
  const { cluster, namespace } = options;
  const podNamed = (name: string): Pod => userPod(cluster, name, LABELS);
  const target = 'guarded';
  await cluster.apply([gateway], namespace);
  await applied(cluster, namespace);
  await cluster.apply([podNamed(target)], namespace);
  await cluster.waitFor(`pod/${target}`, 'Ready', namespace);
  return {
    kind: 'guarded',
    ...options,
    target,
    ips: await addressesOf(options, target),
    sidecar: {
      container: 'gatehouse-proxy',
      token: '/var/run/secrets/gatehouse.dev/token',
      volume: 'gatehouse-token',
      audience: 'gatehouse-control',
    },
    podNamed,
    complete: (pod) => pod,
  };
}

function applied(cluster: Cluster, namespace: string): Promise<void> {
  return cluster.waitFor('mcpgateway/orders', 'Accepted', namespace);
}
