/** The pods whose sidecars are gone around: what a user writes, and the same with a sidecar of the naive kind. */
import type { Cluster } from '../cluster.ts';

export const SIDECAR_UID = 64_311;
/** 8080 is the gateway's, 8082 is declared too, 8081 is not. */
export const PORTS = { server: 8080, undeclared: 8081, declared: 8082 } as const;

/** Answers SERVER on every port, over TCP and UDP, IPv4 and IPv6. */
const SERVER = `
  const { createServer } = require('node:http');
  for (const port of [8080, 8081, 8082]) createServer((_, response) => response.end('SERVER')).listen(port, '::');
  for (const type of ['udp4', 'udp6']) {
    const socket = require('node:dgram').createSocket({ type, ipv6Only: type === 'udp6' }).bind(8080);
    socket.on('message', (_, from) => socket.send('SERVER', from.port, from.address));
  }`;

/** Takes what is led to it, as the user whom the rules let through. */
const NAIVE_SIDECAR = `
  require('node:http').createServer((_, response) => response.end('GATEWAY')).listen(15000, '::');`;

export const SLEEP = 'setInterval(() => undefined, 1e6)';

export interface Container {
  readonly name: string;
  readonly [field: string]: unknown;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

export interface Pod {
  readonly [field: string]: unknown;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

/** A server and another container, neither of which says as whom it runs; the image says root. */
export function userPod(cluster: Cluster, name: string, labels: Readonly<Record<string, string>>): Pod {
  const image = { image: cluster.images.node, imagePullPolicy: 'IfNotPresent' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { ...labels, instance: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'server',
          ...image,
          args: ['--eval', SERVER],
          ports: [{ containerPort: PORTS.server }, { containerPort: PORTS.declared }],
        },
        { name: 'other', ...image, args: ['--eval', SLEEP] },
      ],
    },
  };
}

export function withOther(pod: Pod, fields: Readonly<Record<string, unknown>>): Pod {
  const containers = pod.spec.containers.map((container) =>
    container.name === 'other' ? { ...container, ...fields } : container,
  );
  return { ...pod, spec: { ...pod.spec, containers } };
}

export function withSpec(pod: Pod, fields: Partial<PodSpec>): Pod {
  return { ...pod, spec: { ...pod.spec, ...fields } };
}

/** A sidecar as people make them: beside the server, with a token of its own; with `rules` the network leads to it. */
export function withNaiveSidecar(cluster: Cluster, pod: Pod, rules: boolean): Pod {
  const network: Container = {
    name: 'network',
    image: cluster.images.gatehouse,
    imagePullPolicy: 'IfNotPresent',
    args: ['net-init', '--server-port', '8080,8082', '--container-uids', '0', '--dns', '10.96.0.10'],
    securityContext: { runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
  };
  const sidecar: Container = {
    name: 'sidecar',
    image: cluster.images.node,
    imagePullPolicy: 'IfNotPresent',
    restartPolicy: 'Always',
    args: ['--eval', NAIVE_SIDECAR],
    securityContext: { runAsUser: SIDECAR_UID, runAsGroup: SIDECAR_UID, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'sidecar-token', mountPath: '/token' }],
  };
  const token = { serviceAccountToken: { audience: 'naive-control', path: 'token' } };
  return withSpec(pod, {
    initContainers: [...(rules ? [network] : []), sidecar, ...(pod.spec.initContainers ?? [])],
    volumes: [...(pod.spec.volumes ?? []), { name: 'sidecar-token', projected: { sources: [token] } }],
  });
}
