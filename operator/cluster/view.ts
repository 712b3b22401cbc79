/** What the webhooks ask about the cluster, answered from the newest state that is known. */
import type { McpGateway } from '../../crds/index.ts';
import { answeringGateway, type Candidate } from '../inject/select.ts';
import type { ServiceTargets } from '../inject/port.ts';
import type { ClusterSnapshot } from '../source/kubernetes/cluster-snapshot.ts';
import { candidatesOf } from '../source/kubernetes/guarded-pods.ts';
import type { Service } from '../source/kubernetes/resources.ts';

export interface ClusterView {
  /** Whether anything is known; until then nothing may be judged. */
  isReady(): boolean;
  /** The gateway that answers for pods with these labels. */
  gatewayFor(namespace: string, labels: Readonly<Record<string, string>>): McpGateway | undefined;
  servicesIn(namespace: string): readonly ServiceTargets[];
}

export interface LiveView extends ClusterView {
  take(snapshot: ClusterSnapshot): void;
}

export function createClusterView(): LiveView {
  let known: { readonly candidates: readonly Candidate[]; readonly services: readonly Service[] } | undefined;
  return {
    take: (snapshot) => {
      known = { candidates: candidatesOf(snapshot), services: snapshot.services };
    },
    isReady: () => known !== undefined,
    gatewayFor: (namespace, labels) => answeringGateway(known?.candidates ?? [], namespace, labels),
    servicesIn: (namespace) =>
      (known?.services ?? [])
        .filter(({ metadata }) => metadata.namespace === namespace)
        .map(({ metadata, spec }) => ({
          name: metadata.name,
          selector: spec.selector,
          // A port that says nothing else leads to its own number.
          targets: spec.ports.map(({ port, targetPort }) => targetPort ?? port),
        })),
  };
}
