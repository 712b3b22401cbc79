import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { bundle } from '#bundle';
import { parseManifests } from '#crds';
import { snapshotOf, type Snapshot } from '../source/snapshot.ts';
import { compile, NO_FLOORS, type Compiled, type Installation } from './index.ts';

const goldens = join(import.meta.dirname, '..', '..', 'test', 'goldens', 'compile');

const installation: Installation = {
  knownTools: () => [],
  namespace: 'gatehouse-system',
  baseDir: '/manifests',
  hashKey: 'hash-key',
  sealingKeys: (gateway) => [{ id: '1', key: `key of ${gateway}` }],
  floors: NO_FLOORS,
};

const orders = readFileSync(join(goldens, 'orders.yaml'), 'utf8');

function snapshot(text: string): Snapshot {
  const { objects, problems } = parseManifests([{ path: 'a.yaml', text }]);
  expect(problems).toEqual([]);
  return snapshotOf(objects);
}

function compiled(text: string, changes: Partial<Installation> = {}): Compiled {
  return compile(snapshot(text), { ...installation, ...changes });
}

function object(text: string): string {
  return `apiVersion: gatehouse.dev/v1alpha1\n${text}`;
}

function gateway(spec: string, name = 'it'): string {
  return object(
    `kind: McpGateway\nmetadata: { name: ${name} }\nspec: { server: { url: "http://127.0.0.1/mcp" }, access: [{ authenticated: true, tools: ["*"] }], identity: [{ name: staff, oidc: { issuer: "https://login.example", audiences: [it] } }], ${spec} }`,
  );
}

test('everything that is built compiles to what it compiled to', async () => {
  const { bundles, objects, warnings } = compiled(orders);
  const text = stringify({ bundles, objects, warnings }, { lineWidth: 0, aliasDuplicateObjects: false });
  await expect(text).toMatchFileSnapshot(join(goldens, 'orders.out.yaml'));
});

test('a bundle survives its wire unchanged', () => {
  for (const one of compiled(orders).bundles)
    expect(bundle.parse(JSON.parse(JSON.stringify(one)))).toEqual(one);
});

test('the order of files and members makes no difference', () => {
  const { objects } = parseManifests([{ path: 'a.yaml', text: orders }]);
  expect(compile(snapshotOf([...objects].reverse()), installation)).toEqual(compiled(orders));
});

test('a revision changes with the content and with the keys, and with nothing else', () => {
  const revisions = (text: string, changes: Partial<Installation> = {}): string[] =>
    compiled(text, changes).bundles.map(({ revision }) => revision);
  const [old, everything, first] = revisions(orders);
  const [, sameOther, edited] = revisions(orders.replace('callsPerMinute: 60', 'callsPerMinute: 61'));
  expect(sameOther).toBe(everything);
  expect(edited).not.toBe(first);
  expect(revisions(`# a comment\n${orders}`)).toEqual([old, everything, first]);
  expect(revisions(orders, { hashKey: 'other' })).not.toContain(first);
  expect(revisions(orders, { sealingKeys: () => [{ id: '2', key: 'other' }] })).not.toContain(first);
});

test("a rule's revision changes with every edit of the rule", () => {
  const revision = (text: string): string | undefined => compiled(text).bundles.at(-1)?.rules[0]?.revision;
  expect(revision(orders.replace('expiresAfter: 1h', 'expiresAfter: 60m'))).toBe(revision(orders));
  expect(revision(orders.replace('expiresAfter: 1h', 'expiresAfter: 61m'))).not.toBe(revision(orders));
  expect(revision(orders.replace('count: 2', 'count: 1'))).not.toBe(revision(orders));
});

test('a policy that names a gateway that does not exist says so and binds the others', () => {
  const policy = object(
    'kind: MaskingPolicy\nmetadata: { name: m }\nspec: { targetRefs: [{ name: it }, { name: gone }], detectors: [{ preset: Credentials }] }',
  );
  const { bundles, objects, warnings } = compiled(`${gateway('')}\n---\n${policy}`);
  const sentence =
    'MaskingPolicy default/m names in spec.targetRefs a McpGateway that does not exist: default/gone.';
  expect(bundles[0]?.masking.map(({ name }) => name)).toEqual(['default/m']);
  expect(objects[1]).toMatchObject({
    gateways: ['default/it'],
    conditions: [{ type: 'Accepted', status: 'False', reason: 'TargetNotFound', message: sentence }],
  });
  expect(warnings).toEqual([sentence]);
});

test('a tenant reaches no gateway of another namespace', () => {
  const rule = (targets: string): string =>
    object(
      `kind: ApprovalRule\nmetadata: { name: r, namespace: tenant }\nspec: { ${targets}, match: { tools: ["*"] }, effect: Deny }`,
    );
  const cases: [string, string, string][] = [
    [
      'targetRefs: [{ name: it }]',
      'TargetNotFound',
      'ApprovalRule tenant/r names in spec.targetRefs a McpGateway that does not exist: tenant/it.',
    ],
    [
      'targetSelector: {}',
      'TargetNotFound',
      'ApprovalRule tenant/r binds no gateway: its selector selects none.',
    ],
    [
      'namespaceSelector: {}',
      'NamespaceSelectorNotAllowed',
      'ApprovalRule tenant/r has spec.namespaceSelector, which only policies in the namespace gatehouse-system may have; use targetRefs or targetSelector.',
    ],
  ];
  for (const [targets, reason, message] of cases) {
    const { bundles, objects } = compiled(`${gateway('')}\n---\n${rule(targets)}`);
    expect(bundles[0]?.rules).toEqual([]);
    expect(objects[1]?.conditions).toEqual([{ type: 'Accepted', status: 'False', reason, message }]);
  }
});

test('labels narrow what a policy of the installation binds', () => {
  const policy = object(
    'kind: MaskingPolicy\nmetadata: { name: m, namespace: gatehouse-system }\nspec: { namespaceSelector: {}, targetSelector: { matchLabels: { tier: gold } }, detectors: [{ preset: Credentials }] }',
  );
  const { objects } = compiled(`${orders}\n---\n${policy}`);
  expect(objects.find(({ name }) => name === 'm')?.gateways).toEqual(['tools/orders']);
});

test('a gateway below a floor gets no bundle and says why', () => {
  const floors = { ...NO_FLOORS, allowAnonymous: false, allowUnrecorded: false };
  const { bundles, objects, warnings } = compiled(
    `${orders}\n---\n${gateway('recording: { onFailure: Allow }')}`,
    {
      floors,
    },
  );
  expect(bundles.map(({ gateway: { name } }) => name)).toEqual(['orders']);
  expect(objects.find(({ name }) => name === 'old')?.conditions).toEqual([
    {
      type: 'Accepted',
      status: 'False',
      reason: 'AnonymousForbidden',
      message:
        'McpGateway attic/old has an anonymous identity, which this installation forbids; remove it from spec.identity.',
    },
    {
      type: 'Programmed',
      status: 'False',
      reason: 'NotAccepted',
      message: 'It has no bundle, so its calls are refused.',
    },
  ]);
  expect(warnings).toContain(
    'McpGateway default/it has spec.recording.onFailure: Allow, which this installation forbids; use Block.',
  );
});

test('limits are lowered to what the installation allows, with a warning', () => {
  const { bundles, warnings } = compiled(gateway(''), {
    floors: { ...NO_FLOORS, most: { callTimeoutMs: 1000 } },
  });
  expect(bundles[0]?.limits).toMatchObject({ callTimeoutMs: 1000, callsPerMinute: 600 });
  expect(warnings).toEqual([
    'McpGateway default/it asks for higher limits than this installation allows; they were lowered.',
  ]);
});

test.each([
  ['{ url: "http://127.0.0.1:9000" }', 'http://127.0.0.1:9000/mcp', '/mcp'],
  ['{ url: "http://127.0.0.1:9000", path: /x }', 'http://127.0.0.1:9000/x', '/x'],
  ['{ url: "http://127.0.0.1:9000/" }', 'http://127.0.0.1:9000/', '/mcp'],
  ['{ url: "http://127.0.0.1:9000/a/b?c=d" }', 'http://127.0.0.1:9000/a/b?c=d', '/mcp'],
  ['{ url: "http://127.0.0.1:9000?c=d" }', 'http://127.0.0.1:9000/mcp?c=d', '/mcp'],
  ['{ transport: SSE, url: "http://127.0.0.1:9000" }', 'http://127.0.0.1:9000/sse', '/sse'],
])('server %s is reached at %s and reaches clients at %s', (server, url, path) => {
  const { bundles } = compiled(gateway('').replace('{ url: "http://127.0.0.1/mcp" }', server));
  expect(bundles[0]?.server).toMatchObject({ url, path });
});

test('a server in the pod is reached over loopback', () => {
  const text = gateway('selector: { matchLabels: { app: it } }').replace(
    'url: "http://127.0.0.1/mcp"',
    'port: 8080',
  );
  const { objects } = parseManifests([{ path: 'a.yaml', text }], { environment: 'Try' });
  expect(compile(snapshotOf(objects), installation).bundles[0]?.server.url).toBe('http://127.0.0.1:8080/mcp');
});

test.each([
  ['access: []', 'McpGateway default/it has no access rule, so nobody may call anything.'],
  [
    'access: [{ authenticated: true }]',
    'McpGateway default/it has an access rule that grants nothing: it has no tools, prompts, resources or methods.',
  ],
  [
    'access: [{ anonymous: true, tools: ["*"] }]',
    'McpGateway default/it grants access to anonymous callers, but spec.identity has no anonymous, so there are none.',
  ],
  ['recording: { onFailure: Allow }', 'McpGateway default/it lets calls through that cannot be recorded.'],
])('%s is warned of', (spec, sentence) => {
  const text = gateway(spec);
  const own = spec.startsWith('access')
    ? text.replace('access: [{ authenticated: true, tools: ["*"] }], ', '')
    : text;
  expect(compiled(own).warnings).toEqual([sentence]);
});

test('an object that did not come through the manifests and is not built gets no bundle', () => {
  const parsed = snapshot(gateway(''));
  const identity = [{ name: 'agents', serviceAccount: { audiences: ['it'] } }];
  const gateways = parsed.gateways.map((one) => ({ ...one, spec: { ...one.spec, identity } }));
  expect(compile({ ...parsed, gateways }, installation)).toMatchObject({
    bundles: [],
    warnings: ['McpGateway default/it has identity "agents", which is of a kind that is not built yet.'],
  });
});
