/** Ephemeral containers are added to a pod that runs: the new ones are held to the same rules as the rest of it. */
import { SIDECAR_CONTAINER, NETWORK_CONTAINER } from '../../crds/sidecar.ts';
import { CannotGuard } from './cannot-guard.ts';
import { isOptedIn, titleOf } from './decide.ts';
import type { Container, Pod } from './pod.ts';
import { checkContainer } from './refusals.ts';
import { harden } from './security.ts';

export type EphemeralDecision =
  | { readonly kind: 'refuse'; readonly message: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'harden'; readonly pod: Pod };

/** `runAsUser` is written where neither the container nor the pod states a user. */
export function decideEphemeral(pod: Pod, before: Pod, runAsUser: number): EphemeralDecision {
  const known = new Set(before.spec.ephemeralContainers?.map(({ name }) => name));
  // The label of the running pod counts: whoever adds a container must not unguard the pod by the same request.
  if (!isOptedIn(before) && !isOptedIn(pod)) return { kind: 'nothing' };
  try {
    const ephemeralContainers = (pod.spec.ephemeralContainers ?? []).map((container) =>
      known.has(container.name) ? container : hardened(container, pod, runAsUser),
    );
    return { kind: 'harden', pod: { ...pod, spec: { ...pod.spec, ephemeralContainers } } };
  } catch (error) {
    if (!(error instanceof CannotGuard)) throw error;
    return { kind: 'refuse', message: `${titleOf(pod)} is guarded: ${error.message}.` };
  }
}

function hardened(container: Container, pod: Pod, runAsUser: number): Container {
  checkContainer(container);
  const target = container.targetContainerName;
  if (target === SIDECAR_CONTAINER || target === NETWORK_CONTAINER) {
    throw new CannotGuard(
      `container "${container.name}" is aimed at ${target}, whose memory is nobody's to see; aim it at another container`,
    );
  }
  return harden(container, pod.spec, runAsUser);
}
