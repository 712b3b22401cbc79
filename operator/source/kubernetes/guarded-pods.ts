/** Which pods a gateway selects, who answers for each, and whether it carries the sidecar. Pure. */
import { CONTROL_AUDIENCE } from '../../../crds/audiences.ts';
import { INJECTION_ANNOTATION, SIDECAR_CONTAINER, TOKEN_VOLUME } from '../../../crds/sidecar.ts';
import { objectKey, type McpGateway } from '#crds';
import { answeringGateway, selectsPod, type Candidate } from '../../inject/select.ts';
import type { ClusterSnapshot } from './cluster-state.ts';
import type { Pod } from './resources.ts';

export interface SelectedPod {
  readonly pod: Pod;
  /** `namespace/name` of the gateway that answers for it: the oldest that selects it. */
  readonly gateway: string;
  /** The others that select it. */
  readonly conflicting: readonly string[];
  readonly guarded: boolean;
  /** The sidecar takes calls. */
  readonly ready: boolean;
  /** What injection wrote down of itself; proves nothing. */
  readonly injection: string | undefined;
}

/** Every pod that lives and that a gateway selects. */
export function selectedPods(snapshot: Pick<ClusterSnapshot, 'gateways' | 'facts' | 'pods'>): SelectedPod[] {
  const candidates = candidatesOf(snapshot);
  return snapshot.pods.filter(isAlive).flatMap((pod) => {
    const { namespace, labels, annotations } = pod.metadata;
    const gateway = answeringGateway(candidates, namespace, labels);
    if (gateway === undefined) return [];
    const selecting = candidates.filter(
      (candidate) =>
        candidate.gateway.metadata.namespace === namespace && selectsPod(candidate.gateway, labels),
    );
    return {
      pod,
      gateway: objectKey(gateway),
      conflicting: selecting
        .map((candidate) => objectKey(candidate.gateway))
        .filter((key) => key !== objectKey(gateway)),
      guarded: isGuarded(pod),
      ready: pod.status.initContainerStatuses.some(({ name, ready }) => name === SIDECAR_CONTAINER && ready),
      injection: annotations[INJECTION_ANNOTATION],
    };
  });
}

export function candidatesOf({ gateways, facts }: Pick<ClusterSnapshot, 'gateways' | 'facts'>): Candidate[] {
  return gateways.map((gateway: McpGateway) => ({
    gateway,
    createdAt: facts.get(`McpGateway ${objectKey(gateway)}`)?.created ?? '',
  }));
}

/** A pod that has ended runs nothing, whatever its labels say. */
export function isAlive({ status }: Pod): boolean {
  return status.phase !== 'Succeeded' && status.phase !== 'Failed';
}

/**
 * Whether a pod carries the sidecar as injection makes it: a native sidecar that alone holds the token of the
 * control audience. Annotations are no proof; that no other container mounts the token is.
 */
export function isGuarded({ spec }: Pod): boolean {
  const sidecar = spec.initContainers.find(({ name }) => name === SIDECAR_CONTAINER);
  if (sidecar?.restartPolicy !== 'Always') return false;
  const tokens = spec.volumes.filter(({ projected }) =>
    (projected?.sources ?? []).some((source) => source.serviceAccountToken?.audience === CONTROL_AUDIENCE),
  );
  const [volume, ...more] = tokens;
  if (volume?.name !== TOKEN_VOLUME || more.length > 0) return false;
  const holders = [...spec.initContainers, ...spec.containers].filter(({ volumeMounts }) =>
    volumeMounts.some(({ name }) => name === TOKEN_VOLUME),
  );
  return holders.length === 1 && holders[0] === sidecar;
}
