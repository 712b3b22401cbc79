/** A server that calls an API, the API, somebody who calls the server, and the gateway between them. */
import type { KeyPair } from '../../../lib/certificates.ts';
import type { Cluster } from '../cluster.ts';
import { CREDENTIALS_IMAGE, SERVER_PROGRAM } from './image.ts';

type Manifest = Readonly<Record<string, unknown>>;

export const SERVER = 'server';
const PORT = 8080;
const SLEEP = 'setInterval(() => undefined, 1e6)';

export const urlIn = (namespace: string): string => `http://calling.${namespace}.svc/mcp`;
export const apiIn = (namespace: string): string => `api.${namespace}.svc`;

/**
 * Stands for an API: writes down which token each call had, and says it, as some APIs do in their errors. `/slow` is
 * answered when nobody waits any more.
 */
const API = `
  const { readFileSync } = require('node:fs');
  const tls = { cert: readFileSync('/tls/tls.crt'), key: readFileSync('/tls/tls.key') };
  require('node:https').createServer(tls, ({ url, headers }, response) => {
    console.log(JSON.stringify({ url, authorization: headers.authorization ?? 'none' }));
    if (url !== '/slow') response.end('heard ' + headers.authorization);
  }).listen(8443, '::');`;

export function gateway(namespace: string): Manifest {
  const url = urlIn(namespace);
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { name: 'calling' },
    spec: {
      selector: { matchLabels: { app: 'calling' } },
      server: { port: PORT },
      publicUrl: url,
      identity: [{ name: 'agents', serviceAccount: {} }],
      access: [{ serviceAccounts: [`${namespace}/ana`], tools: ['*'] }],
      credentials: [
        {
          name: 'api',
          source: { vault: { role: 'mcp', read: { path: 'ssh/creds/api', parameters: { ip: '10.0.0.1' } } } },
          inject: {
            egress: {
              hosts: [apiIn(namespace)],
              header: { name: 'Authorization', value: 'Bearer {{ key }}' },
              placeholder: 'key_',
              env: 'API_TOKEN',
            },
          },
        },
        {
          name: 'backend',
          source: { vault: { role: 'mcp', kv: { mount: 'kv', path: 'backend' } } },
          inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
        },
      ],
      egress: { default: 'Deny' },
    },
  };
}

/** The server's pod says that Vault and the API are elsewhere, which is nobody's to say. */
export function server(namespace: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'calling', labels: { app: 'calling', 'gatehouse.dev/inject': 'true' } },
    spec: {
      serviceAccountName: 'calling',
      terminationGracePeriodSeconds: 20,
      hostAliases: [{ ip: '127.0.0.1', hostnames: [`vault.${namespace}.svc`] }],
      containers: [
        {
          name: SERVER,
          image: CREDENTIALS_IMAGE,
          imagePullPolicy: 'IfNotPresent',
          args: [SERVER_PROGRAM],
          env: [{ name: 'PORT', value: String(PORT) }],
          ports: [{ containerPort: PORT }],
        },
      ],
    },
  };
}

export function surroundings(cluster: Cluster, namespace: string, identity: KeyPair): readonly Manifest[] {
  const node = { image: cluster.images.node, imagePullPolicy: 'IfNotPresent' };
  const account = (name: string): Manifest => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name },
  });
  const service = (name: string, port: number, targetPort: number): Manifest => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port, targetPort }] },
  });
  return [
    ...[account('calling'), account('ana')],
    ...[service('calling', 80, PORT), service('api', 443, 8443)],
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'api-tls' },
      stringData: { 'tls.crt': identity.cert, 'tls.key': identity.key },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'api', labels: { app: 'api' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'api',
            ...node,
            args: ['--eval', API],
            readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
            volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
          },
        ],
        volumes: [{ name: 'tls', secret: { secretName: 'api-tls' } }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'ana' },
      spec: {
        serviceAccountName: 'ana',
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'client',
            ...node,
            args: ['--eval', SLEEP],
            volumeMounts: [{ name: 'tokens', mountPath: '/tokens' }],
          },
        ],
        volumes: [
          {
            name: 'tokens',
            projected: { sources: [{ serviceAccountToken: { audience: urlIn(namespace), path: 'token' } }] },
          },
        ],
      },
    },
  ];
}
