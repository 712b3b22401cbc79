/** A pod that is about to be made → as it should be made, or why it cannot. Pure. */
import { objectKey, type McpGateway } from '#crds';
import { INJECT_LABEL, INJECTION_ANNOTATION, SERVER_ANNOTATION, SIDECAR_PORTS } from '../../crds/sidecar.ts';
import { CannotGuard } from './cannot-guard.ts';
import { giveEgress } from './egress.ts';
import { checkLocalPorts, giveLocal, hasFiles } from './local-credentials.ts';
import type { Container, Pod } from './pod.ts';
import { handOver, portToTakeOver, type ServiceTargets } from './port.ts';
import { execProbes, rewriteProbes } from './probes.ts';
import { checkPod } from './refusals.ts';
import { harden, losesEscalation, userOf } from './security.ts';
import type { InjectionSettings } from './settings.ts';
import { injectionDigest, networkContainer, proxyContainer, sidecarVolumes } from './sidecar.ts';
import { strip } from './strip.ts';

export type Decision =
  /** The sentence says what is wrong with the pod and how to mend it. */
  | { readonly kind: 'refuse'; readonly message: string }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'inject';
      readonly pod: Pod;
      readonly gateway: McpGateway;
      readonly warnings: readonly string[];
    };

/** What is known of the pod's surroundings. */
export interface Surroundings {
  readonly namespace: string;
  readonly settings: InjectionSettings;
  /** The gateway that answers for pods with these labels. */
  readonly gatewayFor: (
    namespace: string,
    labels: Readonly<Record<string, string>>,
  ) => McpGateway | undefined;
  readonly servicesIn: (namespace: string) => readonly ServiceTargets[];
}

export function isOptedIn(pod: Pod): boolean {
  return pod.metadata.labels?.[INJECT_LABEL] === 'true';
}

export function decide(pod: Pod, around: Surroundings): Decision {
  if (!isOptedIn(pod)) return { kind: 'nothing' };
  const gateway = around.gatewayFor(around.namespace, pod.metadata.labels ?? {});
  if (gateway === undefined) return { kind: 'refuse', message: noGateway(pod, around.namespace) };
  try {
    return { kind: 'inject', gateway, pod: inject(pod, gateway, around), warnings: warningsOf(pod) };
  } catch (error) {
    if (!(error instanceof CannotGuard)) throw error;
    const message = `${titleOf(pod)} cannot be guarded by McpGateway ${objectKey(gateway)}: ${error.message}.`;
    return { kind: 'refuse', message };
  }
}

/** Throws CannotGuard. */
function inject(given: Pod, gateway: McpGateway, around: Surroundings): Pod {
  const pod = strip(given, gateway);
  checkPod(pod);
  checkLocalPorts(pod.spec, gateway);
  const { settings, namespace } = around;
  const { server, interception } = gateway.spec;
  const serverPort = portOf(gateway);
  const guarded = serverContainer(pod, gateway, serverPort);
  const takenOver =
    interception === 'Port'
      ? portToTakeOver(pod, guarded, serverPort, around.servicesIn(namespace))
      : undefined;

  const rewriting = {
    key: settings.probeKey,
    namespace,
    openPorts: server.openPorts,
    graceSeconds: pod.spec.terminationGracePeriodSeconds,
  };
  const prepare = (container: Container): ReturnType<typeof rewriteProbes> => {
    const hardened = harden(container, pod.spec, server.runAsUser);
    const { container: aimed, targets } = rewriteProbes(hardened, rewriting);
    const handed = takenOver === undefined ? aimed : handOver(aimed, guarded.name, serverPort);
    if (container.name !== guarded.name) return { targets, container: handed };
    return { targets, container: giveEgress(giveLocal(handed, gateway), gateway, settings) };
  };
  const containers = pod.spec.containers.map(prepare);
  const initContainers = (pod.spec.initContainers ?? []).map(prepare);
  const probes = Object.fromEntries(
    [...initContainers, ...containers].flatMap(({ targets }) => Object.entries(targets)),
  );

  const users = [...initContainers, ...containers].flatMap(
    ({ container }) => userOf(container, pod.spec) ?? [],
  );
  const facts = {
    users,
    serverUser: userOf(harden(guarded, pod.spec, server.runAsUser), pod.spec),
    serverPorts: [serverPort, ...tcpPortsOf(guarded)],
  };
  const wanted = { gateway, settings };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: {
        ...pod.metadata.annotations,
        [INJECTION_ANNOTATION]: injectionDigest(wanted),
        ...(hasFiles(gateway) && { [SERVER_ANNOTATION]: guarded.name }),
      },
    },
    spec: {
      ...pod.spec,
      initContainers: [
        ...(interception === 'Redirect' ? [networkContainer(wanted, facts)] : []),
        proxyContainer(wanted, probes, takenOver),
        ...initContainers.map(({ container }) => container),
      ],
      containers: containers.map(({ container }) => container),
      volumes: [...(pod.spec.volumes ?? []), ...sidecarVolumes(gateway)],
    },
  };
}

function portOf({ spec }: McpGateway): number {
  const { port, openPorts } = spec.server;
  if (port === undefined) {
    throw new CannotGuard('the gateway names no port of the pod; give spec.server.port there');
  }
  if (openPorts.includes(port)) {
    throw new CannotGuard(
      `the gateway leaves the server's own port ${port} open, past the sidecar; remove it from spec.server.openPorts`,
    );
  }
  const ours = Object.values(SIDECAR_PORTS).find((taken) => taken === port || openPorts.includes(taken));
  if (ours === undefined) return port;
  throw new CannotGuard(
    `the gateway names port ${ours}, which the sidecar listens on; let the server use another`,
  );
}

/** What the container says it listens on; nobody beside the sidecar needs its second port either, unless it is open. */
function tcpPortsOf({ ports = [] }: Container): number[] {
  return ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ containerPort }) => containerPort);
}

/** The one that the gateway names, else the only one, else the one that owns the port. */
function serverContainer({ spec }: Pod, { spec: { server } }: McpGateway, port: number): Container {
  const { containers } = spec;
  const [first, ...others] = containers;
  const found =
    server.container !== undefined
      ? containers.find(({ name }) => name === server.container)
      : others.length === 0
        ? first
        : containers.find(({ ports = [] }) => ports.some(({ containerPort }) => containerPort === port));
  if (found !== undefined) return found;
  const names = containers.map(({ name }) => name).join(', ');
  throw new CannotGuard(
    server.container === undefined
      ? `none of its containers (${names}) has the port ${port}; add it to the server's ports, or give spec.server.container in the gateway`
      : `it has no container "${server.container}", which spec.server.container names; its containers are ${names}`,
  );
}

function warningsOf(pod: Pod): string[] {
  const title = titleOf(pod);
  return [
    ...pod.spec.containers
      .filter(losesEscalation)
      .map(
        ({ name }) =>
          `${title}: container "${name}" asks for allowPrivilegeEscalation, which no container beside the sidecar may have; it is set to false.`,
      ),
    ...execProbes(pod).map(
      (name) =>
        `${title}: an exec probe of container "${name}" that calls the server is a call like any other; use httpGet, tcpSocket or grpc.`,
    ),
  ];
}

function noGateway(pod: Pod, namespace: string): string {
  return `${titleOf(pod)} has the label ${INJECT_LABEL}: "true", but no McpGateway of namespace ${namespace} selects it; create one whose spec.selector matches its labels, or remove the label.`;
}

/** Pods of controllers have no name of their own yet. */
export function titleOf({ metadata }: Pod): string {
  return `Pod ${metadata.name ?? `${metadata.generateName ?? ''}*`}`;
}
