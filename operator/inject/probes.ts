/**
 * Probes and lifecycle hooks over the network arrive from the kubelet at the pod's address, where the sidecar would
 * take them for calls. They are aimed at the sidecar's port for probes, which asks the container over loopback.
 */
import { createHmac } from 'node:crypto';
import {
  probeTargets,
  PROBES_VARIABLE,
  type ProbeHandler,
  type ProbeTarget,
  type ProbeTargets,
} from '../../crds/probes.ts';
import { SIDECAR_PORTS } from '../../crds/sidecar.ts';
import { CannotGuard } from './cannot-guard.ts';
import type { Container, Pod, Probe } from './pod.ts';

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;
const HOOKS = ['postStart', 'preStop'] as const;
/** How long Kubernetes lets a pod end by itself where the pod does not say. */
const DEFAULT_GRACE_SECONDS = 30;

export interface ProbeRewriting {
  /** Keys the paths, so that only who can read the pod knows them. */
  readonly key: string;
  readonly namespace: string;
  /** Ports that stay reachable from outside; probes of theirs stay as they are. */
  readonly openPorts: readonly number[];
  readonly graceSeconds?: number | undefined;
}

interface Rewritten {
  readonly container: Container;
  readonly targets: ProbeTargets;
}

export function rewriteProbes(container: Container, rewriting: ProbeRewriting): Rewritten {
  const targets: Record<string, ProbeTarget> = {};
  const rewrite = (probe: Probe | undefined, name: string, timeoutSeconds: number): Probe | undefined => {
    const handler = probe === undefined ? undefined : handlerOf(probe, container, name);
    if (probe === undefined || handler === undefined || rewriting.openPorts.includes(portOf(handler)))
      return probe;
    const path = pathOf(container.name, name, handler, rewriting);
    targets[path] = { handler, timeoutSeconds };
    const httpGet = { path, port: SIDECAR_PORTS.probes, scheme: 'HTTP' } as const;
    return { ...probe, tcpSocket: undefined, grpc: undefined, httpGet };
  };
  const rewritten = mapProbes(container, (probe, name) => rewrite(probe, name, probe.timeoutSeconds ?? 1));
  const grace = Math.max(1, rewriting.graceSeconds ?? DEFAULT_GRACE_SECONDS);
  return { container: mapHooks(rewritten, (hook, name) => rewrite(hook, name, grace)), targets };
}

/** Undoes `rewriteProbes`, by what the sidecar of the pod says its targets are. */
export function restoreProbes(container: Container, targets: ProbeTargets): Container {
  const restore = (probe: Probe): Probe => {
    const { httpGet, ...rest } = probe;
    if (httpGet?.port !== SIDECAR_PORTS.probes || httpGet.path === undefined) return probe;
    const target = Object.hasOwn(targets, httpGet.path) ? targets[httpGet.path] : undefined;
    return target === undefined ? probe : { ...rest, ...target.handler };
  };
  return mapHooks(mapProbes(container, restore), restore);
}

/**
 * The targets that a sidecar in the pod names; none where it is not readable. Whoever made the pod could have
 * written any of them as a probe of their own, so believing them grants nothing.
 */
export function targetsIn(sidecar: Container | undefined): ProbeTargets {
  const text = sidecar?.env?.find(({ name }) => name === PROBES_VARIABLE)?.value;
  if (text === undefined) return {};
  try {
    return probeTargets.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** Containers whose exec probes may speak to the server over loopback, where the sidecar answers them. */
export function execProbes({ spec }: Pod): readonly string[] {
  return spec.containers
    .filter((container) => PROBES.some((name) => container[name]?.exec !== undefined))
    .map(({ name }) => name);
}

function mapProbes(container: Container, map: (probe: Probe, name: string) => Probe | undefined): Container {
  const mapped = { ...container };
  for (const name of PROBES) {
    const probe = container[name];
    if (probe !== undefined) mapped[name] = map(probe, name);
  }
  return mapped;
}

function mapHooks(container: Container, map: (hook: Probe, name: string) => Probe | undefined): Container {
  const { lifecycle } = container;
  if (lifecycle === undefined) return container;
  const mapped = { ...lifecycle };
  for (const name of HOOKS) {
    const hook = lifecycle[name];
    if (hook !== undefined) mapped[name] = map(hook, name);
  }
  return { ...container, lifecycle: mapped };
}

/** What the kubelet would ask at the pod's address; undefined for everything that never comes over its network. */
function handlerOf(probe: Probe, container: Container, name: string): ProbeHandler | undefined {
  const port = (reference: string | number): number => resolvePort(reference, container, name);
  const { httpGet, tcpSocket, grpc } = probe;
  if (httpGet !== undefined && isPodItself(httpGet.host)) {
    return { httpGet: { ...httpFields(httpGet), port: port(httpGet.port) } };
  }
  if (tcpSocket !== undefined && isPodItself(tcpSocket.host) && !isHook(name)) {
    return { tcpSocket: { port: port(tcpSocket.port) } };
  }
  return grpc === undefined ? undefined : { grpc: { port: port(grpc.port), service: grpc.service ?? '' } };
}

type HttpGet = Extract<ProbeHandler, { httpGet: unknown }>['httpGet'];

function httpFields({
  path = '/',
  scheme = 'HTTP',
  httpHeaders,
}: NonNullable<Probe['httpGet']>): Omit<HttpGet, 'port'> {
  return { path, scheme, ...(httpHeaders && { httpHeaders }) };
}

function isPodItself(host: string | undefined): boolean {
  return host === undefined || host === '';
}

/** Kubernetes accepts a tcpSocket as a hook and never runs it. */
function isHook(name: string): boolean {
  return HOOKS.some((hook) => hook === name);
}

function resolvePort(reference: string | number, container: Container, probe: string): number {
  if (reference === SIDECAR_PORTS.probes) {
    throw new CannotGuard(
      `${probe} of container "${container.name}" asks port ${reference}, which is the sidecar's; use the container's own port`,
    );
  }
  if (typeof reference === 'number') return reference;
  const port = container.ports?.find(({ name }) => name === reference);
  if (port !== undefined) return port.containerPort;
  throw new CannotGuard(
    `${probe} of container "${container.name}" names the port "${reference}", which the container does not have; add it to its ports or give the number`,
  );
}

function portOf(handler: ProbeHandler): number {
  if ('httpGet' in handler) return handler.httpGet.port;
  return 'tcpSocket' in handler ? handler.tcpSocket.port : handler.grpc.port;
}

function pathOf(container: string, probe: string, handler: ProbeHandler, rewriting: ProbeRewriting): string {
  const about = JSON.stringify([rewriting.namespace, container, probe, handler]);
  const mark = createHmac('sha256', rewriting.key).update(about).digest('hex').slice(0, 32);
  return `/probes/${container}/${probe}/${mark}`;
}
