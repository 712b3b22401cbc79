/** The chart: what it lets the operator do, which values it refuses, and what it leaves behind. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { helm } from '../../hack/tools/parts.ts';
import { run } from '../../hack/tools/run.ts';
import { issueAuthority } from '../../lib/certificates.ts';
import { readSettings } from '../../operator/cluster/settings.ts';
import { eventually } from './api-server.ts';
import { CHART, chartValues, install, NAMESPACE, whyNotInstalled, type Installed } from './installed.ts';

const VAULT = 'https://vault.vault.svc:8200';
const missing = whyNotInstalled();
const because = missing === undefined ? '' : ` (${missing})`;

const template = (...values: string[]): Promise<string> =>
  run(helm.file('helm'), [
    'template',
    'gatehouse',
    CHART,
    `--namespace=${NAMESPACE}`,
    '--kube-version=1.34.4',
    ...values,
  ]);

const rule = z.object({
  apiGroups: z.array(z.string()).optional(),
  resources: z.array(z.string()).optional(),
  nonResourceURLs: z.array(z.string()).optional(),
  resourceNames: z.array(z.string()).optional(),
  verbs: z.array(z.string()),
});
const role = z.object({
  kind: z.enum(['ClusterRole', 'Role']),
  metadata: z.object({ name: z.string() }),
  rules: z.array(rule),
});

function found<T>(text: string, schema: z.ZodType<T>): T[] {
  return [...parseAllDocuments(text)].flatMap((document) => schema.safeParse(document.toJS()).data ?? []);
}

/** One line for each verb on each resource. */
function rightsOf(text: string, name: string): string[] {
  const roles = [...parseAllDocuments(text)].flatMap(
    (document) => role.safeParse(document.toJS()).data ?? [],
  );
  return roles
    .filter(({ metadata }) => metadata.name === name)
    .flatMap(({ kind, rules }) =>
      rules.flatMap((one) => linesOf(kind === 'Role' ? 'own namespace: ' : '', one)),
    )
    .sort();
}

function linesOf(
  where: string,
  { resources = [], nonResourceURLs = [], resourceNames, verbs }: z.output<typeof rule>,
): string[] {
  const names = resourceNames === undefined ? '' : ` ${resourceNames.join(',')}`;
  return [...resources, ...nonResourceURLs].map((what) => `${where}${what}${names}: ${verbs.join(' ')}`);
}

describe.skipIf(missing !== undefined)(`the chart${because}`, () => {
  test('the operator may do this and nothing else', async () => {
    expect(rightsOf(await template(...chartValues), 'gatehouse-operator')).toEqual([
      '/.well-known/openid-configuration: get',
      '/openid/v1/jwks: get',
      'approvalrequests/status: update',
      'approvalrequests: get list watch create update delete',
      'approvalrules/status: patch',
      'approvalrules: get list watch',
      'configmaps: list watch',
      'events: create',
      'maskingpolicies/status: patch',
      'maskingpolicies: get list watch',
      'mcpgateways/status: patch',
      'mcpgateways: get list watch',
      'mutatingwebhookconfigurations gatehouse: get patch',
      'namespaces: get list watch',
      'networkpolicies: get create patch delete',
      'own namespace: leases gatehouse-operator: get update',
      'own namespace: leases: create',
      'own namespace: secrets gatehouse-keys,gatehouse-certificates,gatehouse-recorder-tls: get list watch update',
      'own namespace: secrets: create',
      'pods: get list watch',
      'replicasets: get',
      'services: get list watch',
      'tokenreviews: create',
      'validatingwebhookconfigurations gatehouse: get patch',
    ]);
  });

  test('the recorder may ask who shows it a token', async () => {
    expect(rightsOf(await template(...chartValues), 'gatehouse-recorder')).toEqual(['tokenreviews: create']);
  });

  test('with cert-manager the operator may not touch webhook configurations', async () => {
    const text = await template(...chartValues, '--set=webhooks.certManager.enabled=true');
    expect(rightsOf(text, 'gatehouse-operator').join()).not.toContain('webhookconfigurations');
    expect(text).toContain('cert-manager.io/inject-ca-from: gatehouse-system/gatehouse-operator');
  });

  test('admins write policies, viewers read them, approvers decide', async () => {
    const text = await template(...chartValues);
    expect(rightsOf(text, 'gatehouse-approver')).toEqual(['approvalrequests: get list watch update patch']);
    expect(rightsOf(text, 'gatehouse-viewer').join()).not.toMatch(
      /create|update|patch|delete|approvalrequests/,
    );
    expect(text).toContain('aggregate-to-admin');
    expect(text).not.toContain('aggregate-to-edit');
  });

  test.each([
    ['operator.replicas=0', "at '/operator/replicas': minimum: got 0, want 1"],
    ['operator.replica=2', "at '/operator': additional properties 'replica' not allowed"],
    ['recorder.storage.kind=Disk', "value must be one of 'PersistentVolumeClaim', 'EmptyDir'"],
    ['network.resolvers={kube-dns}', "at '/network/resolvers/0'"],
    ['webhooks.timeoutSeconds=90', 'maximum: got 90, want 30'],
    ['upstreams.caBundle=/etc/ca.pem', "at '/upstreams/caBundle'"],
    ['image.pullPolicy=Sometimes', "value must be one of 'Always', 'IfNotPresent', 'Never'"],
  ])('refused: %s', async (value, sentence) => {
    await expect(template(...chartValues, '--set', value)).rejects.toThrow(sentence);
  });

  test('the operator can read the settings that the values make, with roots of whom sidecars call', async () => {
    const { cert } = issueAuthority('internal', { now: Date.now(), days: 1 });
    const directory = await mkdtemp(join(tmpdir(), 'gatehouse-chart-'));
    try {
      const values = join(directory, 'values.yaml');
      await writeFile(values, stringify({ upstreams: { caBundle: cert }, vault: { address: VAULT } }));
      const map = z.object({ kind: z.literal('ConfigMap'), data: z.object({ 'settings.yaml': z.string() }) });
      const [made] = found(await template(...chartValues, '--values', values), map);
      const file = join(directory, 'settings.yaml');
      await writeFile(file, made?.data['settings.yaml'] ?? '');
      expect(await readSettings(file)).toMatchObject({
        upstreamRoots: cert,
        vault: { address: VAULT, auth: { kind: 'jwt', mount: 'jwt' } },
      });
    } finally {
      await rm(directory, { recursive: true });
    }
    expect(await template(...chartValues)).not.toContain('upstreams');
  });

  test('a disruption leaves one operator, and can happen where there is only one', async () => {
    const budget = z.object({ kind: z.literal('PodDisruptionBudget'), spec: z.looseObject({}) });
    const limit = async (...values: string[]): Promise<unknown> =>
      found(await template(...chartValues, ...values), budget).map(({ spec }) => ({ ...spec, selector: 0 }));
    expect(await limit()).toEqual([{ minAvailable: 1, selector: 0 }]);
    expect(await limit('--set=operator.replicas=1')).toEqual([{ maxUnavailable: 1, selector: 0 }]);
    expect(await limit('--set=podDisruptionBudget.enabled=false')).toEqual([]);
  });

  test('what the network policies let in and what the monitors scrape are ports that are there', async () => {
    const monitors = ['serviceMonitor', 'podMonitor'].map((one) => `--set=metrics.${one}.enabled=true`);
    const text = await template(...chartValues, ...monitors);
    const named = z.array(z.looseObject({ name: z.string() })).default([]);
    const workload = z.object({
      kind: z.enum(['Deployment', 'StatefulSet']),
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        template: z.object({ spec: z.object({ containers: z.tuple([z.looseObject({ ports: named })]) }) }),
      }),
    });
    const policy = z.object({
      kind: z.literal('NetworkPolicy'),
      metadata: z.object({ name: z.string() }),
      spec: z.object({ ingress: z.tuple([z.object({ ports: z.array(z.object({ port: z.string() })) })]) }),
    });
    const portsOf = new Map(
      found(text, workload).map(({ metadata, spec }) => [
        metadata.name,
        spec.template.spec.containers[0].ports.map(({ name }) => name),
      ]),
    );
    const policies = found(text, policy);
    expect(policies.map(({ metadata }) => metadata.name)).toEqual([...portsOf.keys()]);
    for (const { metadata, spec } of policies)
      expect(spec.ingress[0].ports.map(({ port }) => port)).toEqual(portsOf.get(metadata.name));

    const endpoints = z.array(z.object({ port: z.string(), path: z.literal('/metrics') }));
    const service = z.object({ kind: z.literal('Service'), spec: z.object({ ports: named }) });
    const served = found(text, service).flatMap(({ spec }) => spec.ports.map(({ name }) => name));
    const serviceMonitor = z.object({ kind: z.literal('ServiceMonitor'), spec: z.object({ endpoints }) });
    for (const { spec } of found(text, serviceMonitor))
      for (const { port } of spec.endpoints) expect(served).toContain(port);
    const podMonitor = z.object({
      kind: z.literal('PodMonitor'),
      spec: z.object({ podMetricsEndpoints: endpoints }),
    });
    // As injection calls it: operator/inject/sidecar.ts.
    expect(found(text, podMonitor).flatMap(({ spec }) => spec.podMetricsEndpoints)).toEqual([
      { port: 'gh-metrics', path: '/metrics' },
    ]);
    expect(found(text, serviceMonitor)).toHaveLength(1);
    expect(found(await template(...chartValues), serviceMonitor)).toEqual([]);
  });

  test('resolvers that nobody gave and helm cannot find are asked for', async () => {
    await expect(template()).rejects.toThrow('give the addresses that pods ask for names');
  });
});

describe.skipIf(missing !== undefined)(`an installation${because}`, () => {
  let installed: Installed;
  beforeAll(async () => {
    installed = await install({});
  }, 120_000);
  afterAll(async () => {
    await installed[Symbol.asyncDispose]();
  });

  const GATEWAY = `
apiVersion: gatehouse.dev/v1alpha1
kind: McpGateway
metadata: { name: orders, namespace: tools }
spec:
  selector: { matchLabels: { app: orders-mcp } }
  server: { port: 8080 }
  publicUrl: https://orders.example/mcp
  identity: [{ name: agents, serviceAccount: {} }]
  access: [{ authenticated: true, tools: ["*"] }]
`;
  const apply = (text: string): Promise<string> =>
    eventually(() => installed.kubectl('admin', ['apply', '--server-side', '-f', '-'], text));
  const refusal = async (text: string): Promise<string> => {
    try {
      return await installed.kubectl('admin', ['apply', '--server-side', '-f', '-'], text);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };

  /** The webhooks as the chart has them: the address on loopback is the test's doing, and no upgrade knows it. */
  const toServices = async (): Promise<void> => {
    for (const kind of ['mutating', 'validating']) {
      const change = [
        { op: 'remove', path: '/webhooks/0/clientConfig/url' },
        {
          op: 'add',
          path: '/webhooks/0/clientConfig/service',
          value: { name: 'gatehouse-operator', namespace: NAMESPACE, port: 443, path: '/inject' },
        },
      ];
      const object = `${kind}webhookconfiguration/gatehouse`;
      await installed.kubectl('admin', ['patch', object, '--type=json', '--patch', JSON.stringify(change)]);
    }
  };

  test('the kinds are served by their short names', async () => {
    await apply(GATEWAY);
    for (const name of ['mcpgw', 'mask', 'aprule', 'apreq', 'gatehouse'])
      await installed.kubectl('admin', ['get', name, '-A']);
    expect(await installed.kubectl('admin', ['get', 'mcpgw', '-n', 'tools'])).toMatch(
      /NAME\s+ACCEPTED\s+PROGRAMMED\s+READY\s+GUARDED\s+AGE/,
    );
  });

  test.each([
    ['no identity', GATEWAY.replace(/ {2}identity.*\n/, ''), 'spec.identity: Required value'],
    [
      'a port and a URL',
      GATEWAY.replace('{ port: 8080 }', '{ port: 8080, url: "http://x.example/" }'),
      'must have exactly one of port, url and (with transport Stdio) command',
    ],
    [
      'a port without a selector',
      GATEWAY.replace(/ {2}selector.*\n/, ''),
      'must have selector where server.port is given',
    ],
    ['nobody in access', GATEWAY.replace('authenticated: true, ', ''), 'names nobody; give users, groups'],
    [
      'a kept audience',
      GATEWAY.replace('serviceAccount: {}', 'serviceAccount: { audiences: [gatehouse-control] }'),
      'must not be gatehouse-control or gatehouse-vault',
    ],
    [
      'a port that is none',
      GATEWAY.replace('port: 8080', 'port: 80808'),
      'should be less than or equal to 65535',
    ],
    ['a field that is not there', GATEWAY.replace('  publicUrl', '  publicURL'), 'publicURL'],
    [
      'an expression that is not CEL',
      GATEWAY.replace('tools: ["*"]', 'tools: ["*"], when: "caller ="'),
      'McpGateway orders: spec.access[0].when',
    ],
    [
      'what needs standalone',
      GATEWAY.replace(
        'access:',
        'credentials: [{ name: k, source: { devFile: { path: k.json } }, inject: { server: { header: { name: X-K, value: v } } } }]\n  access:',
      ),
      'is for standalone alone; use vault',
    ],
    [
      'a pattern that is not RE2',
      `
apiVersion: gatehouse.dev/v1alpha1
kind: MaskingPolicy
metadata: { name: m, namespace: tools }
spec: { targetRefs: [{ name: orders }], detectors: [{ name: d, pattern: "(a)\\\\1" }] }
`,
      'MaskingPolicy m: spec.detectors[0].pattern',
    ],
    [
      'approval by nobody',
      `
apiVersion: gatehouse.dev/v1alpha1
kind: ApprovalRule
metadata: { name: r, namespace: tools }
spec: { targetRefs: [{ name: orders }], match: { tools: [query] } }
`,
      'must have approvers with at least one group or user where effect is RequireApproval',
    ],
  ])('refused at apply: %s', async (_, text, sentence) => {
    expect(await refusal(text)).toContain(sentence);
  });

  test('an upgrade keeps what the operator wrote into the webhooks, and an uninstall the kinds and the policies', async () => {
    const bundle = (): Promise<string> =>
      installed.kubectl('admin', [
        'get',
        'mutatingwebhookconfiguration/gatehouse',
        '--output=jsonpath={.webhooks[0].clientConfig.caBundle}',
      ]);
    await toServices();
    const before = await bundle();
    expect(before).not.toBe('');
    await installed.helm([
      'upgrade',
      'gatehouse',
      CHART,
      `--namespace=${NAMESPACE}`,
      ...chartValues,
      '--set=operator.replicas=3',
    ]);
    expect(await bundle()).toBe(before);
    await installed.helm(['uninstall', 'gatehouse', `--namespace=${NAMESPACE}`, '--no-hooks']);
    expect(await installed.kubectl('admin', ['get', 'mcpgateways', '-n', 'tools', '-o', 'name'])).toContain(
      'orders',
    );
    const pod =
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"free","namespace":"tools","labels":{"app":"orders-mcp","gatehouse.dev/inject":"true"}},"spec":{"containers":[{"name":"c","image":"registry.example/c:1"}]}}';
    await apply(pod);
    await apply(GATEWAY.replace('8080', '8081'));
    for (const kind of [
      'validatingadmissionpolicies',
      'mutatingwebhookconfigurations',
      'validatingwebhookconfigurations',
      'clusterroles',
    ])
      expect(await installed.kubectl('admin', ['get', kind, '-o', 'name'])).not.toContain('gatehouse');
  });
});
