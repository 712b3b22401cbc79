import { expect, test } from 'vitest';
import { parseManifests } from '#crds';
import { snapshotOf, type UnreadableObject } from '../source/snapshot.ts';
import { compile, NO_FLOORS } from './index.ts';

const manifest = `apiVersion: gatehouse.dev/v1alpha1
kind: McpGateway
metadata: { name: orders, namespace: tools, labels: { tier: a } }
spec:
  selector: { matchLabels: { app: orders } }
  server: { port: 8080 }
  publicUrl: https://orders.example/mcp
  identity: [{ name: agents, serviceAccount: {} }]
  access: [{ authenticated: true, tools: ["*"] }]
`;

function compiled(policy: Partial<UnreadableObject> & { namespace?: string }) {
  const { objects } = parseManifests([{ path: 'a.yaml', text: manifest }], { environment: 'Cluster' });
  const unreadable: UnreadableObject = {
    kind: 'MaskingPolicy',
    metadata: { name: 'broken', namespace: policy.namespace ?? 'tools', labels: {} },
    spec: { targetRefs: [{ name: 'orders' }], detectors: 'nonsense' },
    message: 'MaskingPolicy tools/broken cannot be used.',
    ...policy,
  };
  return compile(snapshotOf(objects, { unreadable: [unreadable] }), {
    ...{ namespace: 'gatehouse-system', baseDir: '/', hashKey: 'key', floors: NO_FLOORS },
    knownTools: () => [],
    sealingKeys: () => [{ id: '1', key: 'key' }],
    cluster: { issuer: 'https://cluster.example', jwks: { keys: [] } },
  });
}

test.each([
  ['names the gateway', {}],
  ['selects it by label', { spec: { targetSelector: { matchLabels: { tier: 'a' } } } }],
  ['cannot say what it binds', { spec: 'nonsense' }],
  [
    'lies in the namespace of the installation',
    { namespace: 'gatehouse-system', spec: { namespaceSelector: {} } },
  ],
])('a gateway gets no bundle while a policy that cannot be read %s', (_, policy) => {
  const { bundles, objects } = compiled(policy);
  expect(bundles).toEqual([]);
  expect(objects[0]?.conditions[0]).toMatchObject({
    type: 'Accepted',
    status: 'False',
    reason: 'PolicyUnreadable',
  });
  expect(objects.at(-1)).toMatchObject({ name: 'broken', conditions: [{ reason: 'Unreadable' }] });
});

test.each([
  ['of another namespace', { namespace: 'other', spec: 'nonsense' }],
  ['for another gateway', { spec: { targetRefs: [{ name: 'billing' }] } }],
  ['for other labels', { spec: { targetSelector: { matchLabels: { tier: 'b' } } } }],
  [
    'of the installation that binds its own namespace',
    { namespace: 'gatehouse-system', spec: { targetSelector: {} } },
  ],
  ['that is another gateway', { kind: 'McpGateway' as const }],
])('a gateway goes on beside an unreadable object %s', (_, policy) => {
  expect(compiled(policy).bundles).toHaveLength(1);
});

test('a service account provider gets the audience of the gateway and the keys of the cluster', () => {
  expect(compiled({ namespace: 'other' }).bundles[0]?.identity).toEqual([
    {
      kind: 'serviceAccount',
      name: 'agents',
      audiences: ['https://orders.example/mcp'],
      issuer: 'https://cluster.example',
      jwks: { keys: [] },
    },
  ]);
});
