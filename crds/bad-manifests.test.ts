/** What is said of each mistake, word by word. The sentences are part of the product. */
import { expect, test } from 'vitest';
import { parseManifests } from './index.ts';

/** The members of a spec that has no mistake, in flow style, which a row replaces one by one. */
const GATEWAY = {
  server: '{ url: "http://127.0.0.1:9000/mcp" }',
  publicUrl: 'https://orders.example/mcp',
  identity: '[{ name: staff, oidc: { issuer: "https://login.example" } }]',
  access: '[{ groups: [support], tools: ["*"] }]',
};
const MASK = { targetRefs: '[{ name: orders }]', detectors: '[{ preset: Credentials }]' };
const RULE = {
  targetRefs: '[{ name: orders }]',
  match: '{ tools: [query] }',
  approvers: '{ groups: [dba] }',
};

function manifest(kind: string, members: Record<string, string>): string {
  const lines = Object.entries(members).map(([name, value]) => `  ${name}: ${value}`);
  return [
    'apiVersion: gatehouse.dev/v1alpha1',
    `kind: ${kind}`,
    'metadata: { name: it }',
    'spec:',
    ...lines,
  ].join('\n');
}

function gateway(members: Record<string, string>): string {
  return manifest('McpGateway', { ...GATEWAY, ...members });
}
function mask(members: Record<string, string>): string {
  return manifest('MaskingPolicy', { ...MASK, ...members });
}
function rule(members: Record<string, string>): string {
  return manifest('ApprovalRule', { ...RULE, ...members });
}
function credential(source: string, inject: string): string {
  return gateway({ credentials: `[{ name: key, source: ${source}, inject: ${inject} }]` });
}

const FILE = '{ devFile: { path: secrets/key.json } }';
/** One for each way, which all may use. */
function credentials(...injects: string[]): string {
  const all = injects.map(
    (inject, index) => `{ name: key-${index}, scope: Pod, source: ${FILE}, inject: ${inject} }`,
  );
  return `[${all.join(', ')}]`;
}
const POSTGRES = '{ postgres: { listen: 5432, upstream: "db:5432", database: orders, env: DATABASE_URL } }';
const HEADER = '{ server: { header: { name: X-Api-Key, value: "{{ key }}" } } }';

/** Each: the text, then the ends of the sentences that begin with "a.yaml, document 1: ". */
const rows: readonly [text: string, ...sentences: string[]][] = [
  // Documents.
  ['a: 1\na: 2', 'is not YAML: line 2, column 1: a key that stands there already.'],
  ['a: b: c', 'is not YAML: line 1, column 4: Nested mappings are not allowed in compact mappings.'],
  ['a: *b', 'is not YAML: Unresolved alias (the anchor must be set before the alias): b.'],
  ['a: !secret b', 'is not YAML: line 1, column 4: Unresolved tag: !secret.'],
  ['a: &x [*x]', 'is not YAML: it is nested too deeply.'],
  ['a: "\\ud800"', 'holds an escape that is half a character (a lone surrogate).'],
  ['just text', 'must be an object with apiVersion, kind, metadata and spec.'],
  ['spec: {}', 'must be an object with apiVersion, kind, metadata and spec.'],
  ['apiVersion: gatehouse.dev/v1alpha1', 'kind must be one of McpGateway, MaskingPolicy, ApprovalRule.'],
  ['kind: McpGateway', 'apiVersion must be gatehouse.dev/v1alpha1.'],
  ['kind: McpGateway\napiVersion: v1', 'apiVersion must be gatehouse.dev/v1alpha1, not "v1".'],
  [
    'kind: McpGateway\napiVersion: gatehouse.dev/v2',
    'apiVersion must be gatehouse.dev/v1alpha1, not "gatehouse.dev/v2".',
  ],
  [
    'kind: McpGatway\napiVersion: gatehouse.dev/v1alpha1',
    'kind "McpGatway" is not a kind of gatehouse.dev/v1alpha1; did you mean "McpGateway"?',
  ],
  [
    'kind: Route\napiVersion: gatehouse.dev/v1alpha1',
    'kind "Route" is not a kind of gatehouse.dev/v1alpha1; known are McpGateway, MaskingPolicy, ApprovalRule.',
  ],
  [
    'kind: ApprovalRequest\napiVersion: gatehouse.dev/v1alpha1',
    'kind must not be ApprovalRequest, which the operator alone creates; decide one with gatehouse approvals.',
  ],
  [
    'kind: List\napiVersion: v1\nitems: [{ kind: List, apiVersion: v1, items: [] }, { kind: McpGateway }]',
    'items[0].kind must not be a List inside a List.',
    'items[1].apiVersion must be gatehouse.dev/v1alpha1.',
  ],
  // Metadata.
  [gateway({}).replace('metadata: { name: it }\n', ''), 'metadata is missing; it must be an object.'],
  [gateway({}).replace('name: it', 'namespace: tools'), 'metadata.name is missing; it must be a string.'],
  [
    gateway({}).replace('name: it', 'name: Orders'),
    'metadata.name must be a DNS name: lower-case letters, digits, "-" and ".".',
  ],
  [
    gateway({}).replace('name: it', 'name: it, lables: {}'),
    'metadata.lables is not a field; did you mean "labels"?',
  ],
  [
    gateway({}).replace('spec:', 'specs:'),
    'spec is missing; it must be an object.',
    'specs is not a field; did you mean "spec"?',
  ],
  // McpGateway.
  [
    gateway({ server: '{ url: "http://127.0.0.1/mcp", transprot: SSE }' }),
    'spec.server.transprot is not a field; did you mean "transport"?',
  ],
  [
    gateway({ sidecar: '{ colour: red }' }),
    'spec.sidecar.colour is not a field; known are resources, logLevel.',
  ],
  [
    gateway({ server: '{ url: "http://127.0.0.1/mcp", transport: Http }' }),
    'spec.server.transport must be one of StreamableHTTP, SSE, Stdio, not "Http".',
  ],
  [gateway({ server: '[]' }), 'spec.server must be an object, not a list.'],
  [
    gateway({ server: '{}' }),
    'spec.server must have exactly one of port, url and (with transport Stdio) command.',
  ],
  [
    gateway({ server: '{ url: "ftp://127.0.0.1/mcp" }' }),
    'spec.server.url must be an http:// or https:// URL without a fragment.',
  ],
  [gateway({ server: '{ url: "http://127.0.0.1:99999/mcp" }' }), 'spec.server.url must be a valid URL.'],
  [
    gateway({ server: '{ url: "http://bob:pw@127.0.0.1/mcp" }' }),
    'spec.server.url must not hold a user or a password; use a credential.',
  ],
  [
    gateway({ server: '{ transport: Stdio, url: "http://127.0.0.1/mcp" }' }),
    'spec.server must have command with transport Stdio, and with no other transport.',
  ],
  [
    gateway({ server: '{ transport: Stdio, command: [] }' }),
    'spec.server.command must have at least 1 entry.',
  ],
  [
    gateway({ server: '{ url: "http://127.0.0.1/mcp", path: mcp }' }),
    'spec.server.path must be a path that begins with "/" and has neither "?" nor "#".',
  ],
  [
    gateway({ server: '{ port: 8080 }', selector: '{ matchLabels: { app: orders } }' }),
    'spec.selector needs a cluster; give server.url.',
    'spec.server.port needs a cluster; give server.url.',
  ],
  [gateway({ interception: 'Port' }), 'spec.interception needs a cluster; leave it out.'],
  [gateway({ identity: '[]' }), 'spec.identity must have at least 1 entry.'],
  [gateway({ identity: '[{ name: it, saml: {} }]' }), 'spec.identity[0].saml is not built yet; use oidc.'],
  [
    gateway({ identity: '[{ name: it, serviceAccount: {} }]' }),
    'spec.identity[0].serviceAccount needs a cluster; use oidc.',
  ],
  [
    gateway({ identity: '[{ name: it }]' }),
    'spec.identity[0] must have exactly one of oidc, serviceAccount, anonymous.',
  ],
  [
    gateway({ identity: '[{ name: it, anonymous: {} }, { name: it, anonymous: {} }]' }),
    'spec.identity[1].name repeats the name "it".',
  ],
  [
    gateway({ identity: '[{ name: it, oidc: { issuer: "http://login.example" } }]' }),
    'spec.identity[0].oidc.issuer must be an https:// URL; http:// is for loopback alone.',
  ],
  [
    gateway({
      identity: '[{ name: it, oidc: { issuer: "https://login.example", audiences: [gatehouse-control] } }]',
    }),
    'spec.identity[0].oidc.audiences[0] must not be gatehouse-control or gatehouse-vault, which only sidecars have tokens for.',
  ],
  [gateway({ publicUrl: 'null' }), 'spec.publicUrl must be a string, not null.'],
  [
    gateway({}).replace(/ {2}publicUrl.*\n/, ''),
    'spec must have publicUrl where an oidc or serviceAccount provider has no audiences.',
  ],
  [
    gateway({ access: '[{ tools: ["*"] }]' }),
    'spec.access[0] names nobody; give users, groups, serviceAccounts, spiffeIds, authenticated: true or anonymous: true.',
  ],
  [
    gateway({ access: '[{ groups: support, tools: ["*"] }]' }),
    'spec.access[0].groups must be a list, not a string.',
  ],
  [
    gateway({ access: '[{ authenticated: "yes", tools: ["*"] }]' }),
    'spec.access[0].authenticated must be true or false, not a string.',
  ],
  [
    gateway({ access: '[{ serviceAccounts: [a/b], tools: ["*"] }]' }),
    'spec.access[0].serviceAccounts needs a cluster; use users or groups.',
  ],
  [
    credential('{ vault: { role: r, kv: { mount: ../sys, path: a } } }', HEADER),
    'spec.credentials[0].source.vault.kv.mount must not have "." or ".." as a step.',
  ],
  [
    credential('{ devFile: { path: ../key.json } }', HEADER),
    'spec.credentials[0].source.devFile.path must not leave the directory of the manifests.',
  ],
  [
    credential('{ devFile: { path: /etc/key.json } }', HEADER),
    'spec.credentials[0].source.devFile.path must be relative to the directory of the manifests.',
  ],
  [
    credential(FILE, '{ server: { header: { name: X-Api-Key, value: "{{ key" } } }'),
    'spec.credentials[0].inject.server.header.value must name each field between "{{" and "}}", as in "Bearer {{ token }}".',
  ],
  [
    credential(FILE, '{ server: { header: { name: X-Api-Key, value: "{{ key | sh }}" } } }'),
    'spec.credentials[0].inject.server.header.value must not say a form such as "| sh", which values in files alone have.',
  ],
  [
    gateway({ credentials: credentials('{ file: { name: key, value: "{{ key | base64 }}" } }') }),
    'spec.credentials[0].inject.file.value must not say the form "base64": there are sh and json.',
  ],
  [
    credential(FILE, '{ server: { header: { name: X-Api-Key, value: key } } }'),
    'spec.credentials[0].inject.server.header.value must have at least one field of the credential, as in "{{ token }}".',
  ],
  [
    credential(FILE, '{ server: { header: { name: Mcp-Session-Id, value: "{{ key }}" } } }'),
    'spec.credentials[0].inject.server.header.name must not be a header that the protocol uses itself.',
  ],
  [
    credential(FILE, '{ file: { name: ../key, value: "{{ key }}" } }'),
    'spec.credentials[0].inject.file.name must consist of lower-case letters, digits and "-".',
    'spec.credentials[0] must have scope: Pod where inject.file is given, because a file is read by every call.',
  ],
  [
    credential(FILE, '{ postgres: { listen: 15001, upstream: "db:5432", database: orders } }'),
    "spec.credentials[0].inject.postgres must not listen on 15000, 15001, 15020, 15021, which are the sidecar's own ports.",
  ],
  [
    gateway({ credentials: credentials(POSTGRES, POSTGRES) }),
    'spec.credentials must not have two with the same inject.postgres.listen.',
    'spec.credentials must not have two with the same env.',
  ],
  [
    gateway({
      credentials: credentials(
        '{ file: { name: key, value: "{{ a }}" } }',
        '{ file: { name: key, value: "{{ b }}" } }',
      ),
    }),
    'spec.credentials must not have two with the same inject.file.name.',
  ],
  [
    gateway({
      credentials: credentials(POSTGRES, '{ file: { name: key, value: "{{ a }}", env: DATABASE_URL } }'),
    }),
    'spec.credentials must not have two with the same env.',
  ],
  [
    gateway({ recording: '{ retention: 3 months }' }),
    'spec.recording.retention must be a duration such as 30s, 15m, 1h30m or 90d.',
  ],
  [gateway({ limits: '{ callTimeout: 2d }' }), 'spec.limits.callTimeout must lie between 1s and 24h.'],
  [
    gateway({ limits: '{ maxBodyBytes: 4MB }' }),
    'spec.limits.maxBodyBytes must be a size such as 512Ki, 4Mi or 1048576.',
  ],
  [gateway({ limits: '{ callsPerMinute: 0 }' }), 'spec.limits.callsPerMinute must be at least 1.'],
  [gateway({ limits: '{ leases: 20001 }' }), 'spec.limits.leases must be at most 20000.'],
  [gateway({ limits: '{ leasesPerMinute: 0 }' }), 'spec.limits.leasesPerMinute must be at least 1.'],
  [
    gateway({ limits: '{ callsPerMinute: 1.5 }' }),
    'spec.limits.callsPerMinute must be a whole number, not 1.5.',
  ],
  [
    gateway({ publicUrl: 'orders.example' }),
    'spec.publicUrl must be an http:// or https:// URL without a fragment.',
  ],
  [gateway({}).replace('name: it', 'name: ""'), 'metadata.name must not be empty.'],
  [
    credential('{ devFile: { path: /etc/../key.json } }', HEADER),
    'spec.credentials[0].source.devFile.path must be relative to the directory of the manifests.',
  ],
  // MaskingPolicy.
  [
    mask({ detectors: '[{ preset: Credential }]' }),
    'spec.detectors[0].preset must be one of Credentials, PaymentCards, PersonalData, not "Credential".',
  ],
  [mask({ detectors: '[{ name: x }]' }), 'spec.detectors[0] must have either preset, or name and pattern.'],
  [
    mask({ detectors: '[{ name: x, pattern: "(?=a)b" }]' }),
    'spec.detectors[0].pattern must be a regular expression in RE2 syntax: invalid or unsupported Perl syntax.',
  ],
  [
    mask({ detectors: '[{ name: x, pattern: "a*" }]' }),
    'spec.detectors[0].pattern matches the empty string, which would mask everywhere; make it match a character.',
  ],
  [
    mask({ detectors: '[{ name: x, pattern: "(ab{900}){2}" }]' }),
    'spec.detectors[0].pattern must be a regular expression in RE2 syntax: invalid repeat count.',
  ],
  [mask({ detectors: '[]' }), 'spec masks nothing; give detectors, fields or protobuf.'],
  [
    mask({ fields: '[{ jsonPath: a.b }]' }),
    'spec.fields[0].jsonPath must be a JSONPath (RFC 9535) that begins with "$".',
  ],
  [
    mask({ fields: '[{ jsonPath: "$[?search(@.a, \'b\')]" }]' }),
    'spec.fields[0].jsonPath must not use match() or search(); use a detector with a pattern.',
  ],
  [
    mask({ fields: '[{ keys: [a], columns: [b] }]' }),
    'spec.fields[0] must have exactly one of keys, jsonPath, columns.',
  ],
  [
    mask({
      protobuf: '[{ mimeType: a/b, descriptorConfigMap: { name: c, key: d }, message: e.F, fields: [] }]',
    }),
    'spec.protobuf[0].fields must have at least 1 entry.',
  ],
  [
    mask({ targetSelector: '{}' }),
    'spec must not have targetSelector or namespaceSelector beside targetRefs.',
  ],
  [
    manifest('MaskingPolicy', { detectors: '[{ preset: Credentials }]' }),
    'spec must say which gateways it binds, by targetRefs, targetSelector or namespaceSelector.',
  ],
  [mask({ action: 'redact' }), 'spec.action must be one of Redact, Partial, Hash, Block, not "redact".'],
  // ApprovalRule.
  [
    rule({ match: '{}' }),
    'spec.match must have at least one of tools, sql, shell, kubectl, preset, when, riskAtLeast; tools: ["*"] matches every tool.',
  ],
  [
    rule({ match: '{ sql: { dialect: PostgreSQL, statements: [Drop] } }' }),
    'spec.match.sql.statements[0] must be one of Insert, Update, Delete, Merge, Truncate, DDL, Grant, Copy, Call, Session, Unparsable, not "Drop".',
  ],
  [
    rule({ match: '{ preset: DestructiveSQL, sql: { dialect: PostgreSQL, statements: [DDL] } }' }),
    'spec.match must not have statements or effects beside preset, which fills them in.',
  ],
  [rule({ match: '{ riskAtLeast: 101 }' }), 'spec.match.riskAtLeast must be at most 100.'],
  [
    rule({ approvers: '{ count: 1 }' }),
    'spec must have approvers with at least one group or user where effect is RequireApproval.',
  ],
  [
    rule({ approvers: '{ users: [ann], count: 2 }' }),
    'spec.approvers must name at least as many users as count says.',
  ],
  [rule({ expiresAfter: '30d' }), 'spec.expiresAfter must lie between 1s and 7d.'],
  [
    rule({ notify: '[{ slack: { channel: "#dba" }, jira: { project: OPS } }]' }),
    'spec.notify[0] must have exactly one of slack, jira, webhook.',
  ],
  [
    rule({ notify: '[{ webhook: { url: "http://hooks.example/a", secretRef: { name: a, key: b } } }]' }),
    'spec.notify[0].webhook.url must be https, or http to this machine itself.',
  ],
];

test.each(rows)('%s', (text, ...sentences) => {
  const { objects, problems } = parseManifests([{ path: 'a.yaml', text }]);
  expect(problems.map(({ message }) => message)).toEqual(
    sentences.map((end) => `a.yaml, document 1: ${end}`),
  );
  expect(objects).toEqual([]);
});

test('a condition that is no CEL is told with what CEL says of it', () => {
  const { problems } = parseManifests([
    {
      path: 'a.yaml',
      text: gateway({ access: '[{ authenticated: true, tools: ["*"], when: "caller.groups ==" }]' }),
    },
  ]);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^a\.yaml, document 1: spec\.access\[0\]\.when is not a condition in CEL: .+\.$/),
  ]);
});

test('the members that the rows start from have no mistake', () => {
  const texts = [gateway({}), mask({}), rule({}), credential(FILE, HEADER)];
  for (const text of texts) expect(parseManifests([{ path: 'a.yaml', text }]).problems).toEqual([]);
});
