/**
 * The containers and volumes that injection adds. Every default of the API server is written out: injection compares
 * what is there with what should be there, and what is filled in later would be a difference each time.
 */
import { createHash } from 'node:crypto';
import type { McpGateway } from '#crds';
import { CONTROL_AUDIENCE, VAULT_AUDIENCE } from '../../crds/audiences.ts';
import { PROBES_VARIABLE, type ProbeTargets } from '../../crds/probes.ts';
import {
  CREDENTIALS_VOLUME,
  NETWORK_CONTAINER,
  SIDECAR_CONTAINER,
  SIDECAR_PORTS,
  SIDECAR_UID,
  TOKEN_VOLUME,
  TRUST_VOLUME,
} from '../../crds/sidecar.ts';
import { hasEgress, serverVariables, TRUST_PATH, trustVolume } from './egress.ts';
import {
  CREDENTIALS_PATH,
  credentialsVolume,
  hasFiles,
  localPorts,
  localVariables,
} from './local-credentials.ts';
import type { Container, Volume } from './pod.ts';
import type { InjectionSettings, Resources } from './settings.ts';

const STATE_VOLUME = 'gatehouse-state';
/** Stands where the API server would mount the pod's own token, which the sidecar has no use for. */
const NOTHING_VOLUME = 'gatehouse-nothing';
const STATE_PATH = '/var/lib/gatehouse';
const TOKEN_PATH = '/var/run/secrets/gatehouse.dev';
const API_TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VAULT_TOKEN = 'vault-token';
const TOKEN_SECONDS = 3600;

export const OUR_VOLUMES: readonly string[] = [
  STATE_VOLUME,
  TOKEN_VOLUME,
  NOTHING_VOLUME,
  TRUST_VOLUME,
  CREDENTIALS_VOLUME,
];
export const OUR_CONTAINERS: readonly string[] = [NETWORK_CONTAINER, SIDECAR_CONTAINER];

export interface Wanted {
  readonly gateway: McpGateway;
  readonly settings: InjectionSettings;
}

export function sidecarVolumes(gateway: McpGateway): Volume[] {
  const audiences = [{ audience: CONTROL_AUDIENCE, path: 'token' }];
  if (usesVault(gateway)) audiences.push({ audience: VAULT_AUDIENCE, path: VAULT_TOKEN });
  return [
    { name: STATE_VOLUME, emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } },
    { name: NOTHING_VOLUME, emptyDir: { medium: 'Memory', sizeLimit: '4Ki' } },
    {
      name: TOKEN_VOLUME,
      projected: {
        // The sidecar is not root, and nobody else mounts it.
        defaultMode: 0o444,
        sources: audiences.map(({ audience, path }) => ({
          serviceAccountToken: { audience, expirationSeconds: TOKEN_SECONDS, path },
        })),
      },
    },
    ...(hasEgress(gateway) ? [trustVolume] : []),
    ...(hasFiles(gateway) ? [credentialsVolume] : []),
  ];
}

/** Only where it is needed: a token that is not there cannot be stolen. */
function usesVault({ spec }: McpGateway): boolean {
  return spec.credentials.some(({ source }) => 'vault' in source);
}

/** The proxy, as a native sidecar: started before every other container and ended after them. */
export function proxyContainer(
  { gateway, settings }: Wanted,
  probes: ProbeTargets,
  takenOver?: string,
): Container {
  return {
    name: SIDECAR_CONTAINER,
    ...image(settings),
    args: ['proxy'],
    restartPolicy: 'Always',
    env: [
      { name: 'GATEHOUSE_LISTEN', value: `${settings.listenHost}:${SIDECAR_PORTS.mcp}` },
      { name: 'GATEHOUSE_METRICS_LISTEN', value: `${settings.listenHost}:${SIDECAR_PORTS.metrics}` },
      { name: 'GATEHOUSE_PROBES_LISTEN', value: `${settings.listenHost}:${SIDECAR_PORTS.probes}` },
      { name: 'GATEHOUSE_CONTROL_URL', value: settings.controlUrl },
      { name: 'GATEHOUSE_RECORDER_URL', value: settings.recorderUrl },
      { name: 'GATEHOUSE_CA', value: settings.ca },
      // The pod's own /etc/hosts and resolv.conf are its author's, and its processes', to change.
      { name: 'GATEHOUSE_RESOLVERS', value: settings.resolvers.join(',') },
      { name: 'GATEHOUSE_CLUSTER_DOMAIN', value: settings.clusterDomain },
      { name: 'GATEHOUSE_TOKEN_FILE', value: `${TOKEN_PATH}/token` },
      ...(usesVault(gateway)
        ? [{ name: 'GATEHOUSE_VAULT_JWT_FILE', value: `${TOKEN_PATH}/${VAULT_TOKEN}` }]
        : []),
      { name: 'GATEHOUSE_STATE_DIR', value: STATE_PATH },
      ...egressVariables(gateway, settings),
      ...localCredentialVariables(gateway),
      { name: 'GATEHOUSE_LOG_LEVEL', value: gateway.spec.sidecar.logLevel },
      { name: PROBES_VARIABLE, value: literal(JSON.stringify(probes)) },
    ],
    ports: [
      // A Service that names the server's port finds the sidecar under that name.
      ...(takenOver === undefined ? [] : [port(takenOver, SIDECAR_PORTS.mcp)]),
      port('gh-metrics', SIDECAR_PORTS.metrics),
    ],
    resources: resourcesOf(gateway, settings),
    securityContext: restricted(),
    startupProbe: httpProbe('/readyz', { periodSeconds: 1, failureThreshold: 300 }),
    readinessProbe: httpProbe('/readyz', { periodSeconds: 5, failureThreshold: 2 }),
    livenessProbe: httpProbe('/healthz', { periodSeconds: 10, failureThreshold: 3 }),
    volumeMounts: [
      { name: STATE_VOLUME, mountPath: STATE_PATH },
      { name: TOKEN_VOLUME, mountPath: TOKEN_PATH, readOnly: true },
      { name: NOTHING_VOLUME, mountPath: API_TOKEN_PATH, readOnly: true },
      ...(hasEgress(gateway) ? [{ name: TRUST_VOLUME, mountPath: TRUST_PATH }] : []),
      ...(hasFiles(gateway) ? [{ name: CREDENTIALS_VOLUME, mountPath: CREDENTIALS_PATH }] : []),
    ],
    ...untold(),
  };
}

function egressVariables(
  gateway: McpGateway,
  { listenHost }: InjectionSettings,
): NonNullable<Container['env']> {
  if (!hasEgress(gateway)) return [];
  // Without network rules other pods could use what listens on the pod's own address.
  const host = gateway.spec.interception === 'Redirect' ? listenHost : '127.0.0.1';
  return [
    { name: 'GATEHOUSE_EGRESS_LISTEN', value: `${host}:${SIDECAR_PORTS.egress}` },
    { name: 'GATEHOUSE_EGRESS_TRUST_DIR', value: TRUST_PATH },
  ];
}

/** What the pod was made for: a sidecar offers no more of it than that. */
function localCredentialVariables(gateway: McpGateway): NonNullable<Container['env']> {
  const ports = localPorts(gateway);
  return [
    ...(ports.length === 0 ? [] : [{ name: 'GATEHOUSE_DATABASE_PORTS', value: ports.join(',') }]),
    ...(hasFiles(gateway) ? [{ name: 'GATEHOUSE_CREDENTIALS_DIR', value: CREDENTIALS_PATH }] : []),
  ];
}

/** What the network rules are told of a pod. */
export interface PodFacts {
  /** The users of its containers. */
  readonly users: readonly number[];
  /** That of the server's. */
  readonly serverUser: number | undefined;
  /** What the server listens on. */
  readonly serverPorts: readonly number[];
}

/** Sets the pod's network rules and ends, before anything else of the pod runs. */
export function networkContainer({ gateway, settings }: Wanted, facts: PodFacts): Container {
  const { openPorts } = gateway.spec.server;
  const uids = distinct(facts.users);
  const local = localPorts(gateway);
  const user = facts.serverUser;
  const guarded = distinct(facts.serverPorts.filter((candidate) => !openPorts.includes(candidate)));
  return {
    name: NETWORK_CONTAINER,
    ...image(settings),
    args: [
      'net-init',
      ...['--proxy-port', String(SIDECAR_PORTS.mcp)],
      ...['--uid', String(SIDECAR_UID)],
      ...['--server-port', guarded.join(',')],
      ...(openPorts.length === 0 ? [] : ['--open-ports', openPorts.join(',')]),
      ...(uids.length === 0 ? [] : ['--container-uids', uids.join(',')]),
      ...(hasEgress(gateway) ? ['--outbound-port', String(SIDECAR_PORTS.egress)] : []),
      ...(local.length === 0 ? [] : ['--local-ports', local.join(',')]),
      ...(local.length === 0 || user === undefined ? [] : ['--local-uid', String(user)]),
      ...['--dns', settings.resolvers.join(',')],
    ],
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
    securityContext: {
      ...restricted(),
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    },
    volumeMounts: [{ name: NOTHING_VOLUME, mountPath: API_TOKEN_PATH, readOnly: true }],
    ...untold(),
  };
}

/**
 * Stands for everything that the gateway and the installation say of an injected pod. A pod whose annotation has
 * another digest is outdated. The roots are left out: new ones reach running sidecars in their bundle.
 */
export function injectionDigest({ gateway, settings }: Wanted): string {
  const { server, interception } = gateway.spec;
  const local = localVariables(gateway);
  const said = {
    proxy: proxyContainer(
      { gateway, settings: { ...settings, ca: '', probeKey: '', placeholderKey: '' } },
      {},
    ),
    network:
      interception === 'Redirect'
        ? networkContainer({ gateway, settings }, { users: [], serverUser: undefined, serverPorts: [] })
        : undefined,
    volumes: sidecarVolumes(gateway),
    variables: hasEgress(gateway) ? serverVariables(gateway, { placeholderKey: '' }) : undefined,
    local: Object.keys(local).length > 0 ? local : undefined,
    server: [server.container, server.runAsUser, server.port, server.openPorts, interception],
  };
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 32);
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function image({ image: reference, imagePullPolicy }: InjectionSettings): Partial<Container> {
  return { image: reference, imagePullPolicy };
}

function port(
  name: string,
  containerPort: number,
): { name: string; containerPort: number; protocol: string } {
  return { name, containerPort, protocol: 'TCP' };
}

function restricted(): NonNullable<Container['securityContext']> {
  return {
    runAsNonRoot: true,
    runAsUser: SIDECAR_UID,
    runAsGroup: SIDECAR_UID,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    privileged: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

function httpProbe(
  path: string,
  times: { periodSeconds: number; failureThreshold: number },
): NonNullable<Container['startupProbe']> {
  return {
    httpGet: { path, port: SIDECAR_PORTS.metrics, scheme: 'HTTP' },
    timeoutSeconds: 2,
    successThreshold: 1,
    ...times,
  };
}

function resourcesOf(gateway: McpGateway, settings: InjectionSettings): Resources {
  const own = gateway.spec.sidecar.resources;
  return {
    requests: { ...settings.resources.requests, ...own?.requests },
    limits: { ...settings.resources.limits, ...own?.limits },
  };
}

/** Kubernetes would read `$(NAME)` in a value as another variable's. */
function literal(json: string): string {
  return json.replaceAll('$', String.raw`\u0024`);
}

function untold(): Partial<Container> {
  return { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' };
}
