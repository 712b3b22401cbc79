import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { Environment } from '@marcbachmann/cel-js';
import { kinds, type StructuralSchema } from '#crds';
import { chartCrdText, crdFile, crdOf, crdText } from './crd.ts';

const folder = join(import.meta.dirname, '..', 'crds');
const chart = join(import.meta.dirname, '..', 'charts', 'gatehouse', 'files', 'crds');

test.each(kinds)('the committed CRD of $kind is what the schemas say', (kind) => {
  expect(readFileSync(join(folder, crdFile(kind)), 'utf8')).toBe(crdText(kind));
  expect(parse(crdText(kind))).toEqual(crdOf(kind));
});

test.each(kinds)('the chart has the CRD of $kind as well, and keeps it', (kind) => {
  expect(readFileSync(join(chart, crdFile(kind)), 'utf8')).toBe(chartCrdText(kind));
});

test('no CRD is committed that no kind stands behind', () => {
  const committed = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  expect(readdirSync(chart).sort()).toEqual(kinds.map(crdFile).sort());
  expect(committed.sort()).toEqual(kinds.map(crdFile).sort());
});

/** What a structural schema may hold, of which Gatehouse uses this much. */
const KEYWORDS = new Set([
  'type',
  'format',
  'description',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'properties',
  'items',
  'additionalProperties',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
]);
const TYPES = new Set(['object', 'array', 'string', 'integer', 'boolean']);

/** Every way in which a schema breaks the rules for structural schemas, or leaves a size without a bound. */
function offences(schema: StructuralSchema, at: string): string[] {
  const found = Object.keys(schema)
    .filter((keyword) => !KEYWORDS.has(keyword))
    .map((keyword) => `${at}: ${keyword} is no keyword of structural schemas`);
  const claims: [boolean, string][] = [
    [TYPES.has(schema.type ?? ''), 'has no type'],
    [
      schema.properties === undefined || schema.additionalProperties === undefined,
      'mixes properties and additional',
    ],
    [schema.properties === undefined || schema.type === 'object', 'has properties and is no object'],
    [
      (schema.items !== undefined) === (schema.type === 'array'),
      'is a list without items, or items without a list',
    ],
    [schema.type !== 'array' || 'maxItems' in schema, 'is a list without maxItems'],
    [schema.type !== 'integer' || ('minimum' in schema && 'maximum' in schema), 'is a number without bounds'],
    [
      schema.type !== 'string' || 'maxLength' in schema || 'enum' in schema || 'pattern' in schema,
      'is unbounded text',
    ],
    [
      schema.type !== 'object' || schema.additionalProperties === undefined || 'maxProperties' in schema,
      'is a map without maxProperties',
    ],
    [
      required(schema).every((name) => schema.properties?.[name] !== undefined),
      'requires what it does not have',
    ],
    [
      required(schema).every((name) => !('default' in (schema.properties?.[name] ?? {}))),
      'requires what has a default',
    ],
  ];
  found.push(...claims.filter(([holds]) => !holds).map(([, claim]) => `${at} ${claim}`));
  for (const [name, member] of Object.entries(schema.properties ?? {}))
    found.push(...offences(member, `${at}.${name}`));
  if (schema.items !== undefined) found.push(...offences(schema.items, `${at}[]`));
  if (schema.additionalProperties !== undefined)
    found.push(...offences(schema.additionalProperties, `${at}{}`));
  return found;
}

function required(schema: StructuralSchema): string[] {
  return z.array(z.string()).parse(schema['required'] ?? []);
}

const definition = z.object({
  spec: z.object({
    versions: z.tuple([
      z.object({
        schema: z.object({
          openAPIV3Schema: z.object({
            properties: z.object({
              spec: z.custom<StructuralSchema>((value) => typeof value === 'object'),
              status: z.custom<StructuralSchema>((value) => typeof value === 'object'),
            }),
          }),
        }),
      }),
    ]),
  }),
});

function schemasOf(kind: (typeof kinds)[number]): { spec: StructuralSchema; status: StructuralSchema } {
  return definition.parse(parse(crdText(kind))).spec.versions[0].schema.openAPIV3Schema.properties;
}

test.each(kinds)('the schema of $kind is structural and bounded everywhere', (kind) => {
  const { spec, status } = schemasOf(kind);
  expect([...offences(spec, 'spec'), ...offences(status, 'status')]).toEqual([]);
});

test('the checker finds what it is there to find', () => {
  expect(offences({ oneOf: [], type: 'string', maxLength: 1 }, 'it')).toEqual([
    'it: oneOf is no keyword of structural schemas',
  ]);
  expect(offences({ type: 'object', properties: { a: {} } }, 'it')).toEqual(['it.a has no type']);
  expect(offences({ type: 'array', items: { type: 'integer' } }, 'it')).toEqual([
    'it is a list without maxItems',
    'it[] is a number without bounds',
  ]);
});

/** Patterns run on the API server, in RE2. */
function patterns(schema: StructuralSchema): string[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const own = typeof schema['pattern'] === 'string' ? [schema['pattern']] : [];
  return [...own, ...below.flatMap((member) => (member === undefined ? [] : patterns(member)))];
}

test('no pattern needs what RE2 does not have', () => {
  const all = kinds.flatMap((kind) => Object.values(schemasOf(kind)).flatMap(patterns));
  expect(all.length).toBeGreaterThan(10);
  expect(all.filter((pattern) => /\(\?[=!<]|\\[1-9]/.test(pattern))).toEqual([]);
});

test('every member of the kinds that the design shows is in the schema', () => {
  const members = Object.fromEntries(
    kinds.map((kind) => [kind.kind, Object.keys(schemasOf(kind).spec.properties ?? {}).sort()]),
  );
  expect(members).toEqual({
    McpGateway: [
      'access',
      'credentials',
      'egress',
      'identity',
      'interception',
      'limits',
      'publicUrl',
      'recording',
      'selector',
      'server',
      'sidecar',
      'tools',
      'unguarded',
    ],
    MaskingPolicy: [
      'action',
      'detectors',
      'direction',
      'exclude',
      'fields',
      'mode',
      'namespaceSelector',
      'protobuf',
      'targetRefs',
      'targetSelector',
    ],
    ApprovalRule: [
      'approvers',
      'effect',
      'expiresAfter',
      'match',
      'namespaceSelector',
      'notify',
      'targetRefs',
      'targetSelector',
    ],
    ApprovalRequest: [
      'approvers',
      'call',
      'decisions',
      'expiresAt',
      'gateway',
      'notify',
      'requester',
      'rule',
    ],
  });
});

/** The rules of a schema and of everything below it. */
function rulesOf(schema: StructuralSchema): string[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const own = z.array(z.object({ rule: z.string() })).parse(schema['x-kubernetes-validations'] ?? []);
  return [
    ...own.map(({ rule }) => rule),
    ...below.flatMap((member) => (member === undefined ? [] : rulesOf(member))),
  ];
}

test('every rule is CEL over self, oldSelf and nothing else', () => {
  const environment = new Environment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
  const rules = kinds.flatMap((kind) => rulesOf(schemasOf(kind).spec));
  expect(rules.length).toBeGreaterThan(20);
  expect(rules.filter((rule) => !environment.check(rule).valid)).toEqual([]);
});

const none = {};
const onPort = (listen: number) => ({ credentials: [{ inject: { postgres: { listen } } }] });
test.each<[kind: (typeof kinds)[number]['kind'], spec: Record<string, unknown>, accepted: boolean]>([
  [
    'McpGateway',
    {
      server: { transport: 'SSE', url: 'http://127.0.0.1/' },
      publicUrl: 'http://127.0.0.1/',
      identity: [],
      credentials: [],
    },
    true,
  ],
  ['McpGateway', { server: { transport: 'SSE', port: 80 }, identity: [], credentials: [] }, false],
  [
    'McpGateway',
    { server: { transport: 'SSE', url: 'http://127.0.0.1/' }, identity: [{ oidc: none }], credentials: [] },
    false,
  ],
  [
    'McpGateway',
    { server: { transport: 'Stdio' }, identity: [], credentials: [{ inject: { server: none } }] },
    false,
  ],
  [
    'McpGateway',
    { server: { transport: 'SSE', port: 80, openPorts: [] }, ...onPort(80), identity: [], selector: none },
    false,
  ],
  [
    'McpGateway',
    { server: { transport: 'SSE', port: 80, openPorts: [81] }, ...onPort(81), identity: [], selector: none },
    false,
  ],
  [
    'McpGateway',
    { server: { transport: 'SSE', port: 80, openPorts: [81] }, ...onPort(82), identity: [], selector: none },
    true,
  ],
  ['MaskingPolicy', { targetRefs: [none], detectors: [none], fields: [], protobuf: [] }, true],
  [
    'MaskingPolicy',
    { targetSelector: none, namespaceSelector: none, detectors: [], fields: [none], protobuf: [] },
    true,
  ],
  ['MaskingPolicy', { detectors: [none], fields: [], protobuf: [] }, false],
  ['MaskingPolicy', { targetRefs: [none], detectors: [], fields: [], protobuf: [] }, false],
  [
    'MaskingPolicy',
    { targetRefs: [none], targetSelector: none, detectors: [none], fields: [], protobuf: [] },
    false,
  ],
  ['ApprovalRule', { targetRefs: [none], effect: 'Deny' }, true],
  ['ApprovalRule', { targetRefs: [none], effect: 'RequireApproval' }, false],
  [
    'ApprovalRule',
    { targetRefs: [none], effect: 'RequireApproval', approvers: { users: [], groups: ['dba'] } },
    true,
  ],
])('the rules of %s over %j say %j', (name, self, accepted) => {
  const kind = kinds.find((candidate) => candidate.kind === name);
  if (kind === undefined) throw new Error(name);
  const own = z.array(z.object({ rule: z.string() })).parse(schemasOf(kind).spec['x-kubernetes-validations']);
  const environment = new Environment().registerVariable('self', 'dyn');
  expect(own.every(({ rule }) => environment.evaluate(rule, { self }) === true)).toBe(accepted);
});

const inject = {
  five: { postgres: { listen: 5, env: 'URL' } },
  six: { postgres: { listen: 6 } },
  file: { file: { name: 'key', env: 'KEY' } },
  egress: { egress: { env: 'KEY' } },
  server: { server: none },
};
test.each<[injects: readonly object[], accepted: boolean]>([
  [Object.values({ ...inject, egress: { egress: none } }), true],
  [[inject.five, { postgres: { listen: 5 } }], false],
  [[inject.file, { file: { name: 'key' } }], false],
  [[inject.file, inject.egress], false],
  [[inject.server, inject.server, inject.six], true],
])('the rules of credentials over %j say %j', (injects, accepted) => {
  const [gateways] = kinds.filter(({ kind }) => kind === 'McpGateway').map(schemasOf);
  const credentials = gateways?.spec.properties?.['credentials']?.['x-kubernetes-validations'];
  const rules = z
    .array(z.object({ rule: z.string() }))
    .length(3)
    .parse(credentials);
  const environment = new Environment().registerVariable('self', 'dyn');
  const self = injects.map((one) => ({ inject: one }));
  expect(rules.every(({ rule }) => environment.evaluate(rule, { self }) === true)).toBe(accepted);
});
