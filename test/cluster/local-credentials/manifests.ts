/** A server with a database and a licence, both lent to it, beside another container; and who calls it. */
import { CLIENT_PROGRAM } from '../story/image.ts';
import { ORDERS_IMAGE, POSTGRES_PROGRAM, SERVER_PROGRAM } from './image.ts';

export const PORT = 3001;
export const DATABASE_PORT = 5432;
export const SERVER_USER = 1000;
export const HELPER_USER = 2000;

type Manifest = Readonly<Record<string, unknown>>;

const image = { image: ORDERS_IMAGE, imagePullPolicy: 'IfNotPresent' };
const labels = { app: 'orders', 'gatehouse.dev/inject': 'true' };
const SLEEP = ['--eval', 'setInterval(() => undefined, 1e6)'];

function urlIn(namespace: string): string {
  return `http://orders.${namespace}.svc/mcp`;
}

export interface Database {
  /** host:port, as pods reach it. */
  readonly upstream: string;
  readonly caBundle: string;
}

/** Sessions end soon, and their leases with them. */
export function gateway(namespace: string, { upstream, caBundle }: Database): Manifest {
  const vault = { role: 'orders' };
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { name: 'orders' },
    spec: {
      selector: { matchLabels: { app: 'orders' } },
      server: { port: PORT, container: 'server', runAsUser: SERVER_USER },
      publicUrl: urlIn(namespace),
      identity: [{ name: 'agents', serviceAccount: {} }],
      access: [{ serviceAccounts: [`${namespace}/triage`], tools: ['query', 'licence'] }],
      egress: { default: 'Deny' },
      limits: { sessionIdle: '15s' },
      credentials: [
        {
          name: 'orders-db',
          source: { vault: { ...vault, dynamic: { mount: 'database', role: 'ro' } } },
          inject: {
            postgres: {
              ...{ listen: DATABASE_PORT, upstream, caBundle },
              ...{ database: 'postgres', env: 'DATABASE_URL' },
            },
          },
        },
        {
          name: 'licence',
          scope: 'Pod',
          source: { vault: { ...vault, kv: { mount: 'kv', path: 'licence' } } },
          inject: { file: { name: 'licence', value: 'key={{ key }}', env: 'LICENCE_FILE' } },
        },
      ],
    },
  };
}

export const server: readonly Manifest[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'orders' } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'orders' },
    spec: {
      selector: { matchLabels: { app: 'orders' } },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: 'orders',
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: 'server',
              ...image,
              args: [SERVER_PROGRAM, POSTGRES_PROGRAM, '$(DATABASE_URL)'],
              env: [{ name: 'PORT', value: String(PORT) }],
              ports: [{ containerPort: PORT }],
              readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
            },
            { name: 'helper', ...image, args: SLEEP, securityContext: { runAsUser: HELPER_USER } },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'orders' },
    spec: { selector: { app: 'orders' }, ports: [{ port: 80, targetPort: PORT }] },
  },
];

export function people(namespace: string): readonly Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'triage' } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'triage' },
      spec: {
        serviceAccountName: 'triage',
        terminationGracePeriodSeconds: 1,
        containers: [
          { name: 'client', ...image, args: SLEEP, volumeMounts: [{ name: 'tokens', mountPath: '/tokens' }] },
        ],
        volumes: [
          {
            name: 'tokens',
            projected: {
              sources: [{ serviceAccountToken: { audience: urlIn(namespace), path: 'token' } }],
            },
          },
        ],
      },
    },
  ];
}

export function callCommand(namespace: string, tool: string, args: object): readonly string[] {
  return ['node', CLIENT_PROGRAM, urlIn(namespace), '/tokens/token', tool, JSON.stringify(args)];
}

/** A container for debugging that would see what the server reads. */
export function debugContainer(name: string, more: object = {}): Manifest {
  return { name, ...image, command: ['node', ...SLEEP], targetContainerName: 'server', ...more };
}
