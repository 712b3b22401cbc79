/** What a cluster is called, where its files lie and which addresses it has. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Layout {
  readonly name: string;
  readonly node: string;
  /** Everything that the cluster writes lies in here; its processes see it as CLUSTER_MOUNT. */
  readonly directory: string;
  readonly kubeconfig: string;
  /** Of the control groups that hold all its processes. */
  readonly cgroup: string;
  readonly stateFile: string;
}

/** Where the processes of the cluster, which have mounts of their own, see its directory. */
export const CLUSTER_MOUNT = '/run/cluster';

/** Each cluster has a network namespace of its own, so all of them can have the same addresses. */
export const ADDRESSES = {
  node: ['10.250.0.1', 'fd00:250::1'],
  services: ['10.96.0.0/16', 'fd00:96::/112'],
  pods: ['10.244.0.0/16', 'fd00:244::/64'],
  /** First address of the services: `kubernetes.default.svc`. */
  apiServer: ['10.96.0.1', 'fd00:96::1'],
  dns: '10.96.0.10',
} as const;

/** IPv6 is left out on a machine whose kernel has none. */
export function families<T>(addresses: readonly T[]): readonly T[] {
  return existsSync('/proc/net/if_inet6') ? addresses : addresses.slice(0, 1);
}

export function layoutOf(name: string, clusters: string): Layout {
  const directory = join(clusters, name);
  return {
    name,
    node: `${name}-node`,
    directory,
    kubeconfig: join(directory, 'kubeconfig'),
    cgroup: `gatehouse-${name}`,
    stateFile: join(directory, 'state.json'),
  };
}
