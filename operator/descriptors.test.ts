import { beforeAll, describe, expect, it } from 'vitest';
import { compileProtos, ORDERS_PROTO } from '../test/fixtures/protobuf.ts';
import { compile } from './compile/index.ts';
import { NO_FLOORS } from './compile/installation.ts';
import { admitPolicy } from './inject/admit-policy.ts';
import { load } from './source/load.ts';
import { configMapsOf } from './source/snapshot.ts';

let set: string;
beforeAll(async () => {
  set = (await compileProtos({ 'orders.proto': ORDERS_PROTO })).toString('base64');
});

const GATEWAY = `
apiVersion: gatehouse.dev/v1alpha1
kind: McpGateway
metadata: { name: orders, namespace: tools }
spec:
  server: { url: http://127.0.0.1:3001/mcp }
  publicUrl: http://127.0.0.1:8400/mcp
  identity: [{ name: staff, oidc: { issuer: https://login.example } }]
  access: [{ authenticated: true, tools: ['*'] }]
`;

const policy = (message = 'acme.Order', field = 'card.number', key = 'orders.binpb') => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'MaskingPolicy',
  metadata: { name: 'cards', namespace: 'tools' },
  spec: {
    targetRefs: [{ kind: 'McpGateway', name: 'orders' }],
    protobuf: [
      {
        mimeType: 'application/x-protobuf',
        descriptorConfigMap: { name: 'protos', key },
        message,
        fields: [field],
      },
    ],
  },
});

const configMap = (entries: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'protos', namespace: 'tools' },
  ...entries,
});

function compiled(...documents: object[]) {
  const text = [GATEWAY, ...documents.map((document) => JSON.stringify(document))].join('\n---\n');
  const files = [{ path: 'all.yaml', text }];
  const { snapshot, problems, warnings } = load({ files, directories: [], problems: [] }, 'Standalone');
  if (snapshot === undefined) throw new Error(problems.map(({ message }) => message).join());
  const installation = {
    namespace: 'gatehouse-system',
    baseDir: '/nowhere',
    hashKey: 'AAAA',
    knownTools: () => [],
    sealingKeys: () => [],
    floors: NO_FLOORS,
    cluster: undefined,
  };
  return { ...compile(snapshot, installation), read: warnings };
}

describe('descriptor sets from ConfigMaps', () => {
  it('come into the bundle, from binaryData and from base64 in data', () => {
    for (const entries of [
      { binaryData: { 'orders.binpb': set } },
      { data: { 'orders.binpb': `${set}\n` } },
    ]) {
      const { bundles, warnings, read } = compiled(policy(), configMap(entries));
      expect(bundles[0]?.masking[0]?.protobuf).toEqual([
        {
          mimeType: 'application/x-protobuf',
          descriptorSet: set,
          message: 'acme.Order',
          fields: ['card.number'],
        },
      ]);
      expect([warnings, read]).toEqual([[], []]);
    }
  });

  it('that nobody names are ignored with a warning, as every other kind is', () => {
    expect(compiled(configMap({})).read).toEqual([expect.stringContaining('ConfigMap (v1)')]);
  });

  it.each<[string, () => object[], RegExp]>([
    ['no ConfigMap', () => [policy()], /names the ConfigMap tools\/protos, which is not there/],
    [
      'another key',
      () => [policy(), configMap({ data: { a: '' } })],
      /names the key orders\.binpb, .* it holds a\./,
    ],
    [
      'no set',
      () => [policy(), configMap({ data: { 'orders.binpb': 'aGVsbG8=' } })],
      /ConfigMap tools\/protos is not a whole descriptor set/,
    ],
    [
      'no such message',
      () => [policy('acme.Ordr'), configMap({ data: { 'orders.binpb': set } })],
      /does not hold the message acme\.Ordr; it holds /,
    ],
    [
      'no such field',
      () => [policy('acme.Order', 'card.pan'), configMap({ data: { 'orders.binpb': set } })],
      /has no field card\.pan: the message acme\.Card has number/,
    ],
  ])(
    'with %s are not accepted, and the gateway is refused until that is mended',
    (_, documents, sentence) => {
      const { bundles, objects } = compiled(...documents());
      expect(bundles).toEqual([]);
      for (const kind of ['MaskingPolicy', 'McpGateway']) {
        const conditions = objects.find((object) => object.kind === kind)?.conditions;
        const said = conditions?.find(({ type }) => type === 'Accepted');
        expect(said?.status).toBe('False');
        expect(said?.message).toMatch(sentence);
      }
    },
  );

  it('are checked at admission where they are there, and may come later where they are not', () => {
    const ask = (
      object: object,
      ...configMaps: { namespace: string; name: string; entries: Record<string, string> }[]
    ) =>
      admitPolicy(
        {
          uid: 'u',
          kind: { group: 'gatehouse.dev', kind: 'MaskingPolicy' },
          resource: { group: 'gatehouse.dev', resource: 'maskingpolicies' },
          namespace: 'tools',
          operation: 'CREATE',
          object,
          oldObject: null,
        },
        { configMaps: configMapsOf(configMaps) },
      );
    const there = { namespace: 'tools', name: 'protos', entries: { 'orders.binpb': set } };
    expect(ask(policy(), there)).toEqual({ allowed: true });
    expect(ask(policy())).toMatchObject({
      allowed: true,
      warnings: [expect.stringContaining('is not there')],
    });
    expect(ask(policy('acme.Nope'), there)).toMatchObject({
      allowed: false,
      message: expect.stringContaining('does not hold the message acme.Nope') as unknown,
    });
  });
});
