/** Why a selected pod runs without the sidecar, told where people look: at what made the pod. Pure. */
import { createHash } from 'node:crypto';
import { INJECT_LABEL } from '../../crds/sidecar.ts';
import type { SelectedPod } from '../source/kubernetes/guarded-pods.ts';
import type { OwnerReference } from '../source/kubernetes/resources.ts';

export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface NotInjected {
  /** Equal for the same pod and reason, so that it is told once, whoever leads. */
  readonly name: string;
  readonly regarding: Regarding;
  readonly reason: 'NotInjected';
  readonly note: string;
}

const MAX_NOTE = 1024;

/** `gatewayCreated`: ISO 8601. */
export function notInjected(selected: SelectedPod, owner: Regarding, gatewayCreated: string): NotInjected {
  const { metadata } = selected.pod;
  const digest = createHash('sha256').update(`${metadata.uid} NotInjected`).digest('hex').slice(0, 16);
  const why = `The pod ${metadata.name} is selected by the McpGateway ${selected.gateway} and runs without the sidecar: ${reasonOf(selected, gatewayCreated)}`;
  return {
    name: `${owner.name.slice(0, 200)}.${digest}`,
    regarding: owner,
    reason: 'NotInjected',
    note: why.slice(0, MAX_NOTE),
  };
}

function reasonOf({ pod }: SelectedPod, gatewayCreated: string): string {
  if (pod.metadata.labels[INJECT_LABEL] !== 'true') {
    return `it has no label ${INJECT_LABEL}: "true"; add it to the pod template.`;
  }
  if (pod.spec.hostNetwork)
    return 'it uses the network of its node, which cannot be guarded; remove hostNetwork.';
  if (Date.parse(pod.metadata.creationTimestamp) < Date.parse(gatewayCreated)) {
    return 'it is older than the gateway; delete it, so that it is made anew.';
  }
  return 'the webhook was not asked when it was made; check that the operator runs, and delete the pod.';
}

export function regardingPod({ pod }: SelectedPod): Regarding {
  const { namespace, name, uid } = pod.metadata;
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
}

export function controllerOf(owners: readonly OwnerReference[], namespace: string): Regarding | undefined {
  const controller = owners.find((owner) => owner.controller);
  if (controller === undefined) return undefined;
  const { apiVersion, kind, name, uid } = controller;
  return { apiVersion, kind, namespace, name, uid };
}
