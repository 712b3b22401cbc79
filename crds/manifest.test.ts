import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseManifests, type Environment, type PolicyObject } from './index.ts';

const gateway = {
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'McpGateway',
  metadata: { name: 'orders', namespace: 'tools' },
  spec: {
    server: { url: 'http://127.0.0.1:9000/mcp' },
    identity: [{ name: 'anyone', anonymous: {} }],
    access: [{ anonymous: true, tools: ['*'] }],
  },
};

function parse(text: string, path = 'a.yaml', environment: Environment = 'Standalone') {
  const { objects, problems, warnings } = parseManifests([{ path, text }], { environment });
  return { objects, problems: problems.map(({ message }) => message), warnings };
}

function only(objects: readonly PolicyObject[]): PolicyObject {
  const [object] = objects;
  if (object === undefined || objects.length !== 1) throw new Error(`${objects.length} objects`);
  return object;
}

test('a gateway gets every default that is safe', () => {
  const { objects, problems } = parse(stringify(gateway));
  expect(problems).toEqual([]);
  expect(only(objects)).toEqual({
    kind: 'McpGateway',
    metadata: { name: 'orders', namespace: 'tools', labels: {} },
    spec: {
      tools: { integrity: 'FirstUse', pins: [] },
      unguarded: 'Refuse',
      interception: 'Redirect',
      server: {
        transport: 'StreamableHTTP',
        url: 'http://127.0.0.1:9000/mcp',
        runAsUser: 1000,
        mayAsk: [],
        openPorts: [],
        passthrough: [],
      },
      identity: [{ name: 'anyone', anonymous: {} }],
      access: [
        {
          users: [],
          groups: [],
          serviceAccounts: [],
          spiffeIds: [],
          authenticated: false,
          anonymous: true,
          tools: ['*'],
          prompts: [],
          resources: [],
          methods: [],
        },
      ],
      credentials: [],
      recording: { onFailure: 'Block', retention: 90 * 86_400_000 },
      limits: {
        ...{ maxBodyBytes: 4_194_304, callTimeout: 600_000, sessionIdle: 300_000, callsPerMinute: 600 },
        ...{ leases: 500, leasesPerMinute: 300 },
      },
      sidecar: { logLevel: 'info' },
    },
  });
});

test('an object without a namespace is in default, and what the API server adds is no mistake', () => {
  const metadata = { name: 'orders', uid: 'x', generation: 2, creationTimestamp: 'x', managedFields: [] };
  const { objects, problems } = parse(stringify({ ...gateway, metadata, status: { bundle: 'x' } }));
  expect(problems).toEqual([]);
  expect(only(objects).metadata.namespace).toBe('default');
});

test('documents are counted as they stand in the file, empty ones included', () => {
  const text = `# first\n---\n---\n${stringify(gateway)}---\n${stringify({ ...gateway, kind: 'McpGate' })}`;
  const { objects, problems } = parse(text);
  expect(objects).toHaveLength(1);
  expect(problems).toEqual([
    'a.yaml, document 3: kind "McpGate" is not a kind of gatehouse.dev/v1alpha1; did you mean "McpGateway"?',
  ]);
});

test('one document with a mistake does not hide those of the others', () => {
  const { problems } = parse('kind: McpGateway\n---\na: 1\na: 2\n---\nkind: ApprovalRule');
  expect(problems).toEqual([
    'a.yaml, document 1: apiVersion must be gatehouse.dev/v1alpha1.',
    'a.yaml, document 2: is not YAML: line 4, column 1: a key that stands there already.',
    'a.yaml, document 3: apiVersion must be gatehouse.dev/v1alpha1.',
  ]);
});

test('other kinds of Kubernetes are ignored with a warning', () => {
  const text = stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'orders' } });
  expect(parse(text)).toEqual({
    objects: [],
    problems: [],
    warnings: ['a.yaml, document 1: Deployment (apps/v1) is not a kind of Gatehouse and was ignored.'],
  });
});

test('what kubectl get -o yaml prints is read', () => {
  const { objects, problems } = parse(stringify({ apiVersion: 'v1', kind: 'List', items: [gateway] }));
  expect(problems).toEqual([]);
  expect(only(objects).metadata.name).toBe('orders');
});

test('two objects of one kind and name are refused, naming both places', () => {
  const files = ['a.yaml', 'b.yaml'].map((path) => ({ path, text: stringify(gateway) }));
  expect(parseManifests(files).problems).toEqual([
    {
      file: 'b.yaml',
      document: 1,
      path: 'metadata.name',
      message:
        'b.yaml, document 1: metadata.name names McpGateway tools/orders, which stands in a.yaml, document 1 already; remove one.',
    },
  ]);
});

test('a manifest may be JSON, and then duplicate keys are refused too', () => {
  expect(parse(JSON.stringify(gateway), 'a.json').objects).toHaveLength(1);
  const twice = JSON.stringify(gateway).replace('"kind"', '"kind":"McpGateway","kind"');
  const [problem] = parse(twice, 'a.json').problems;
  expect(problem).toMatch(/^a\.json, document 1: is not JSON: /);
});

test('JSON that is no manifest is never parsed as one, nor quoted', () => {
  const value = ['s3', 'cr3t'].join('');
  for (const text of [`{"key":"${value}"}`, `{"key":"${value}`, `["${value}"]`]) {
    const { problems, warnings } = parse(text, 'secrets/key.json');
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      'secrets/key.json has neither apiVersion nor kind and was ignored; no credential names it as its devFile.',
    ]);
  }
});

test('the file of a devFile credential is not even warned of', () => {
  const credentials = [
    {
      name: 'key',
      source: { devFile: { path: './secrets/key.json' } },
      inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
    },
  ];
  const files = [
    { path: 'a.yaml', text: stringify({ ...gateway, spec: { ...gateway.spec, credentials } }) },
    { path: 'secrets/key.json', text: '{"key":"x"}' },
  ];
  expect(parseManifests(files)).toMatchObject({ problems: [], warnings: [] });
});

test('with Port a gateway must say that nothing is held of what its server sends out', () => {
  const egress = {
    name: 'github',
    source: { vault: { role: 'mcp', kv: { mount: 'kv', path: 'github' } } },
    inject: {
      egress: { hosts: ['api.example'], header: { name: 'Authorization', value: 'Bearer {{ token }}' } },
    },
  };
  const problems = (more: object): readonly string[] => {
    const spec = {
      ...gateway.spec,
      ...{ server: { port: 8080 }, selector: { matchLabels: { app: 'orders' } }, interception: 'Port' },
      ...more,
    };
    return parse(stringify({ ...gateway, spec }), 'a.yaml', 'Cluster').problems;
  };
  const refused = [
    'a.yaml, document 1: spec must have egress.default: Allow with interception Port, which holds nothing of what is sent out; or use Redirect.',
  ];
  expect(problems({ egress: { default: 'Deny' } })).toEqual(refused);
  expect(problems({ egress: {} })).toEqual(refused);
  expect(problems({ credentials: [egress] })).toEqual(refused);
  expect(problems({ credentials: [egress], egress: { default: 'Allow' } })).toEqual([]);
  expect(problems({ credentials: [egress], interception: 'Redirect' })).toEqual([]);
});

test("a database's port is neither the server's own nor one that stays open", () => {
  const problems = (server: object): readonly string[] => {
    const inject = { postgres: { listen: 5432, upstream: 'db.data.svc:5432', database: 'orders' } };
    const credentials = [
      { name: 'db', source: { vault: { role: 'r', dynamic: { mount: 'database', role: 'ro' } } }, inject },
    ];
    const spec = { ...gateway.spec, server, selector: { matchLabels: { app: 'orders' } }, credentials };
    return parse(stringify({ ...gateway, spec }), 'a.yaml', 'Cluster').problems;
  };
  const refused = [
    'a.yaml, document 1: spec must not have an inject.postgres.listen that is server.port or among server.openPorts.',
  ];
  expect(problems({ port: 8080, openPorts: [5433] })).toEqual([]);
  expect(problems({ port: 5432 })).toEqual(refused);
  expect(problems({ port: 8080, openPorts: [9000, 5432] })).toEqual(refused);
});

test('a cluster and try take what standalone has no use for, a cluster refuses devFile', () => {
  const spec = { ...gateway.spec, server: { port: 8080 }, selector: { matchLabels: { app: 'orders' } } };
  const text = stringify({ ...gateway, spec });
  expect(parse(text, 'a.yaml', 'Cluster').problems).toEqual([]);
  expect(parse(text, 'a.yaml', 'Try').problems).toEqual([]);
  const credentials = [
    {
      name: 'key',
      source: { devFile: { path: 'key.json' } },
      inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
    },
  ];
  expect(
    parse(stringify({ ...gateway, spec: { ...spec, credentials } }), 'a.yaml', 'Cluster').problems,
  ).toEqual(['a.yaml, document 1: spec.credentials[0].source.devFile is for standalone alone; use vault.']);
  expect(parse(stringify(gateway), 'a.yaml', 'Cluster').problems).toEqual([
    'a.yaml, document 1: spec.server.url is for standalone alone; give selector and server.port.',
  ]);
});

test('a file larger than any manifest is refused without being parsed', () => {
  expect(parse(`#${'x'.repeat(2_000_000)}`).problems).toEqual([
    'a.yaml, document 1: is longer than 2000000 characters; split the file.',
  ]);
});

/** Well-formed manifests with one value replaced by anything. */
const mutated = fc
  .tuple(fc.constantFrom('metadata', 'spec', 'kind', 'apiVersion', 'status'), fc.jsonValue(), fc.jsonValue())
  .map(([member, value, inner]) => ({
    ...gateway,
    [member]: value,
    ...(member === 'status' && { spec: { ...gateway.spec, server: value, access: inner } }),
  }));

test('no text makes it throw, and whatever it refuses it says in one sentence', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        '---\n',
        'a',
        ':',
        ' ',
        '\n',
        '- ',
        '{',
        '}',
        '[',
        '&a',
        '*a',
        '"',
        '!',
        '|',
        '<<',
      ),
    }),
    mutated.map((value) => stringify(value)),
    mutated.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, fc.constantFrom('a.yaml', 'a.json'), (input, path) => {
      for (const message of parse(input, path).problems)
        expect(message).toMatch(/^a\.(?:yaml|json), document \d+: .*[.?]$/s);
    }),
    { numRuns: 500 },
  );
});
