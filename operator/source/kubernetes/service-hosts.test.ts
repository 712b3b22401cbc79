import { expect, test } from 'vitest';
import { parseManifests, type McpGateway } from '#crds';
import type { ObjectFacts } from './cluster-state.ts';
import { PODS, SERVICES, type Pod, type Service } from './resources.ts';
import { serviceHosts } from './service-hosts.ts';

const meta = { uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };

function gateway(name: string): McpGateway {
  const text = JSON.stringify({
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { name, namespace: 'tools' },
    spec: {
      selector: { matchLabels: { app: name } },
      server: { port: 8080 },
      identity: [{ name: 'staff', oidc: { issuer: 'https://login.example', audiences: ['it'] } }],
      access: [{ authenticated: true, tools: ['*'] }],
    },
  });
  const { objects } = parseManifests([{ path: 'a.json', text }], { environment: 'Cluster' });
  const [object] = objects;
  if (object?.kind !== 'McpGateway') throw new Error('The gateway cannot be read.');
  return object;
}

const pod = (labels: Record<string, string>, more: object = {}): Pod =>
  PODS.schema.parse({ metadata: { ...meta, name: 'pod', namespace: 'tools', labels }, spec: {}, ...more });

const service = (name: string, spec: object, more: { namespace?: string; status?: object } = {}): Service =>
  SERVICES.schema.parse({
    metadata: { ...meta, name, namespace: more.namespace ?? 'tools' },
    spec,
    ...(more.status !== undefined && { status: more.status }),
  });

function hosts(services: readonly Service[], pods: readonly Pod[] = [pod({ app: 'orders', tier: 'a' })]) {
  const facts: ReadonlyMap<string, ObjectFacts> = new Map();
  return serviceHosts({ gateways: [gateway('orders'), gateway('wiki')], facts, pods }, services);
}

test('a Service is called by its names and addresses, with its port, which http may leave out', () => {
  const found = hosts([
    service('api', {
      selector: { tier: 'a' },
      clusterIPs: ['10.96.0.7', 'fd00::7'],
      ports: [{ port: 80 }, { port: 9000 }],
    }),
  ]);
  expect([...found.keys()]).toEqual(['tools/orders']);
  const names = [
    'api',
    'api.tools',
    'api.tools.svc',
    'api.tools.svc.cluster.local',
    '10.96.0.7',
    '[fd00::7]',
  ];
  expect(found.get('tools/orders')).toEqual(
    names.flatMap((name) => [name, `${name}:80`, `${name}:9000`]).sort(),
  );
});

test('what is outside of the cluster is a name too', () => {
  const found = hosts([
    service(
      'api',
      {
        selector: { app: 'orders' },
        clusterIPs: ['None'],
        externalIPs: ['192.0.2.1'],
        ports: [{ port: 8080 }],
      },
      { status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, { hostname: 'LB.example' }] } } },
    ),
  ]);
  const named = found.get('tools/orders') ?? [];
  expect(named).toEqual(expect.arrayContaining(['192.0.2.1:8080', '192.0.2.9:8080', 'lb.example:8080']));
  expect(named.some((host) => host.startsWith('none'))).toBe(false);
});

test('a Service of no pods, of other pods or of another namespace is no name', () => {
  expect(
    hosts([
      service('headless', { ports: [{ port: 80 }] }),
      service('elsewhere', { selector: { app: 'orders' }, ports: [{ port: 80 }] }, { namespace: 'other' }),
      service('others', { selector: { app: 'orders', tier: 'b' }, ports: [{ port: 80 }] }),
    ]),
  ).toEqual(new Map());
});

test('pods that have ended have no Service before them', () => {
  const api = service('api', { selector: { app: 'orders' }, ports: [{ port: 80 }] });
  const ended = pod({ app: 'orders' }, { status: { phase: 'Succeeded' } });
  expect(hosts([api], [ended]).size).toBe(0);
});
