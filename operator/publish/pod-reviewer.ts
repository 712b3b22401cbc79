/** Which gateway a sidecar may ask about: that of its own pod, as long as the pod lives and carries the sidecar. */
import type { ClusterSnapshot } from '../source/kubernetes/cluster-state.ts';
import { isAlive, isGuarded, selectedPods } from '../source/kubernetes/guarded-pods.ts';
import type { PodIdentity, TokenReviewer } from './identity.ts';
import type { ReviewToken } from './token-review.ts';

/** The guarded pods that live, by UID, and the gateway that answers for each. */
export interface Roster {
  /** Whether who gets what has changed. */
  replace(snapshot: ClusterSnapshot): boolean;
  /** A pod that is gone, or that does not carry the sidecar, is not known. */
  knows(uid: string): boolean;
  gatewayOf(uid: string): string | undefined;
}

export function createRoster(): Roster {
  let gateways: ReadonlyMap<string, string | undefined> = new Map();
  return {
    replace: (snapshot) => {
      const before = gateways;
      gateways = gatewaysByPod(snapshot);
      return before.size !== gateways.size || [...gateways].some(([uid, name]) => !isIn(before, uid, name));
    },
    knows: (uid) => gateways.has(uid),
    gatewayOf: (uid) => gateways.get(uid),
  };
}

function gatewaysByPod(snapshot: ClusterSnapshot): Map<string, string | undefined> {
  const answering = new Map(selectedPods(snapshot).map(({ pod, gateway }) => [pod.metadata.uid, gateway]));
  const guarded = snapshot.pods.filter((pod) => isAlive(pod) && isGuarded(pod));
  return new Map(guarded.map(({ metadata }) => [metadata.uid, answering.get(metadata.uid)]));
}

function isIn(
  map: ReadonlyMap<string, string | undefined>,
  uid: string,
  gateway: string | undefined,
): boolean {
  return map.has(uid) && map.get(uid) === gateway;
}

/** Believes TokenReview about the pod, and the roster, asked anew each time, about its gateway. */
export function createPodReviewer(
  review: ReviewToken,
  roster: Pick<Roster, 'knows' | 'gatewayOf'>,
): TokenReviewer {
  return {
    review: async (token): Promise<PodIdentity | undefined> => {
      const pod = await review(token);
      if (pod === undefined) return undefined;
      return {
        name: `${pod.namespace}/${pod.name}`,
        gateways: { has: (gateway) => roster.gatewayOf(pod.uid) === gateway },
        // A token may be ahead of the watch: the pod is told of as soon as it is seen.
        isPending: () => !roster.knows(pod.uid),
      };
    },
  };
}
