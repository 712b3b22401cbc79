/** What a guarded pod must not have, because it leads around the sidecar or into it. */
import { RESERVED_AUDIENCES } from '../../crds/audiences.ts';
import { SIDECAR_PORTS, SIDECAR_UID, VOLUME_PREFIX } from '../../crds/sidecar.ts';
import { CannotGuard } from './cannot-guard.ts';
import { refusedCapabilities } from './security.ts';
import { allContainers, type Container, type Pod, type PodSpec, type Volume } from './pod.ts';

/** Each completes "Pod … cannot be guarded: …"; undefined where there is nothing to say. */
type Check<T> = (subject: T) => string | undefined;

const podChecks: readonly Check<PodSpec>[] = [
  (spec) =>
    runsOnWindows(spec)
      ? 'it runs on Windows, where nothing redirects its connections; run the server on Linux'
      : undefined,
  (spec) =>
    spec.hostNetwork === true
      ? 'spec.hostNetwork shares the network of the node, which cannot be redirected; remove it'
      : undefined,
  (spec) =>
    spec.hostPID === true ? 'spec.hostPID shows it the processes of the node; remove it' : undefined,
  (spec) => (spec.hostIPC === true ? 'spec.hostIPC shares the memory of the node; remove it' : undefined),
  (spec) =>
    spec.shareProcessNamespace === true
      ? 'spec.shareProcessNamespace shows the server the memory of the sidecar; remove it'
      : undefined,
  ({ securityContext }) => {
    const [sysctl] = securityContext?.sysctls ?? [];
    return sysctl === undefined
      ? undefined
      : `spec.securityContext.sysctls sets ${sysctl.name}, and the network's settings are the sidecar's; remove it`;
  },
  ({ securityContext }) => {
    const { runAsUser, runAsGroup, fsGroup, supplementalGroups = [] } = securityContext ?? {};
    return [runAsUser, runAsGroup, fsGroup, ...supplementalGroups].includes(SIDECAR_UID)
      ? `spec.securityContext uses ${SIDECAR_UID}, which is the sidecar's own user and group; use another`
      : undefined;
  },
];

const volumeChecks: readonly Check<Volume>[] = [
  ({ name, hostPath }) =>
    hostPath === undefined
      ? undefined
      : `volume "${name}" is a hostPath, which may hold the sidecar's files; use another kind of volume`,
  ({ name }) =>
    name.startsWith(VOLUME_PREFIX)
      ? `volume "${name}" begins with ${VOLUME_PREFIX}, as only the sidecar's do; rename it`
      : undefined,
  ({ name, projected }) => {
    const audience = (projected?.sources ?? [])
      .map((source) => source.serviceAccountToken?.audience)
      .find((wanted) => wanted !== undefined && RESERVED_AUDIENCES.includes(wanted));
    return audience === undefined
      ? undefined
      : `volume "${name}" projects a token of the audience ${audience}, which is for the sidecar alone; remove it`;
  },
];

const containerChecks: readonly Check<Container>[] = [
  ({ name }) =>
    name.startsWith(VOLUME_PREFIX)
      ? `container "${name}" begins with ${VOLUME_PREFIX}, as only the sidecar's do; rename it`
      : undefined,
  ({ name, securityContext }) =>
    securityContext?.privileged === true
      ? `container "${name}" is privileged; remove securityContext.privileged`
      : undefined,
  ({ name, securityContext }) =>
    securityContext?.procMount !== undefined && securityContext.procMount !== 'Default'
      ? `container "${name}" unmasks /proc; remove securityContext.procMount`
      : undefined,
  ({ name, securityContext }) =>
    [securityContext?.runAsUser, securityContext?.runAsGroup].includes(SIDECAR_UID)
      ? `container "${name}" runs as ${SIDECAR_UID}, which is the sidecar's own user and group; use another`
      : undefined,
  ({ name, securityContext }) => {
    const refused = refusedCapabilities(securityContext);
    return refused.length === 0
      ? undefined
      : `container "${name}" adds the capabilities ${refused.join(', ')}, with which it could leave the sidecar behind; remove them from securityContext.capabilities.add`;
  },
  ({ name, volumeMounts = [] }) => {
    const mount = volumeMounts.find((candidate) => candidate.name.startsWith(VOLUME_PREFIX));
    return mount === undefined
      ? undefined
      : `container "${name}" mounts ${mount.name}, which is the sidecar's; remove the mount`;
  },
  ({ name, ports = [] }) => {
    const taken: readonly number[] = Object.values(SIDECAR_PORTS);
    const port = ports.find(({ containerPort }) => taken.includes(containerPort));
    return port === undefined
      ? undefined
      : `container "${name}" has the port ${port.containerPort}, which the sidecar listens on; use another`;
  },
];

/** Throws CannotGuard for the first thing that is wrong. What injection itself put into the pod must be gone already. */
export function checkPod({ spec }: Pod): void {
  refuseAny(podChecks, [spec]);
  refuseAny(volumeChecks, spec.volumes ?? []);
  for (const container of allContainers(spec)) checkContainer(container);
}

/** The same for one container, as an ephemeral one is added to a pod that runs. */
export function checkContainer(container: Container): void {
  refuseAny(containerChecks, [container]);
}

function refuseAny<T>(checks: readonly Check<T>[], subjects: readonly T[]): void {
  for (const subject of subjects) {
    for (const check of checks) {
      const sentence = check(subject);
      if (sentence !== undefined) throw new CannotGuard(sentence);
    }
  }
}

function runsOnWindows(spec: PodSpec): boolean {
  return (
    spec.os?.name === 'windows' ||
    spec.nodeSelector?.['kubernetes.io/os'] === 'windows' ||
    spec.securityContext?.windowsOptions !== undefined ||
    allContainers(spec).some(({ securityContext }) => securityContext?.windowsOptions !== undefined)
  );
}
