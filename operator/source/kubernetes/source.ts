/** A cluster as the source of snapshots: everything that is watched, told as one state once all of it is known. */
import type { PolicyObject } from '#crds';
import type { Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/log.ts';
import { DESCRIPTOR_LABEL } from '../snapshot.ts';
import type { KubeClient } from './client.ts';
import { clusterSnapshot } from './cluster-snapshot.ts';
import type { ClusterSnapshot } from './cluster-state.ts';
import { startReflector, type Reflector } from './reflector.ts';
import type { KubeObject, Resource } from './resource.ts';
import {
  CONFIG_MAPS,
  NAMESPACES,
  PODS,
  POLICY_RESOURCES,
  SERVICES,
  type Pod,
  type RawPolicyObject,
} from './resources.ts';

export interface KubernetesSource {
  hasSynced(): boolean;
  /** A pod by `namespace/name`, as it was last seen. */
  pod(key: string): Pod | undefined;
  stop(): Promise<void>;
}

export interface KubernetesSourceDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

/** Many changes that come together, as of a Deployment that scales, make one snapshot. */
const GATHER_MS = 50;

/** Tells `onSnapshot` of every state from the first whole one on. */
export function startKubernetesSource(
  onSnapshot: (snapshot: ClusterSnapshot) => void,
  deps: KubernetesSourceDeps,
): KubernetesSource {
  let disarm: (() => void) | undefined;
  const changed = (): void => {
    if (disarm !== undefined || !hasSynced()) return;
    disarm = deps.clock.after(GATHER_MS, () => {
      disarm = undefined;
      onSnapshot(snapshot());
    });
  };
  const follow = <T extends KubeObject>(
    resource: Resource<T>,
    which: { readonly labelSelector?: string } = {},
  ): Reflector<T> => startReflector({ resource, onChange: changed, onSynced: changed, ...which }, deps);

  const policies: readonly { kind: PolicyObject['kind']; reflector: Reflector<RawPolicyObject> }[] = [
    { kind: 'McpGateway', reflector: follow(POLICY_RESOURCES.McpGateway) },
    { kind: 'MaskingPolicy', reflector: follow(POLICY_RESOURCES.MaskingPolicy) },
    { kind: 'ApprovalRule', reflector: follow(POLICY_RESOURCES.ApprovalRule) },
  ];
  const namespaces = follow(NAMESPACES);
  const pods = follow(PODS);
  const services = follow(SERVICES);
  const configMaps = follow(CONFIG_MAPS, { labelSelector: `${DESCRIPTOR_LABEL}=true` });
  const all = [...policies.map(({ reflector }) => reflector), namespaces, pods, services, configMaps];

  const hasSynced = (): boolean => all.every((reflector) => reflector.hasSynced());
  const snapshot = (): ClusterSnapshot =>
    clusterSnapshot({
      objects: policies.flatMap(({ kind, reflector }) => reflector.all().map((object) => ({ kind, object }))),
      namespaces: namespaces.all(),
      pods: pods.all(),
      services: services.all(),
      configMaps: configMaps.all(),
    });

  return {
    hasSynced,
    pod: (key) => pods.get(key),
    stop: async () => {
      disarm?.();
      await Promise.all(all.map((reflector) => reflector.stop()));
    },
  };
}
