/** Interception by Port on real pods: what it holds, what it does not, and that it says so. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually, type Cluster } from './cluster.ts';
import { installGatehouse, provideImage, takeTurn, uninstallGatehouse } from './installation.ts';
import { describeWithCluster } from './suite.ts';

const PORT = 8080;
const SLEEP = 'setInterval(() => undefined, 1e6)';
const SERVER = `require('node:http').createServer((_, response) => response.end('SERVER')).listen(${PORT}, '::')`;
const AUDIENCE = 'https://orders.example/mcp';
const LABELS = { app: 'orders', 'gatehouse.dev/inject': 'true' };

/** What the restricted Pod Security profile demands of a container. */
const restricted = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

const container = z.looseObject({
  name: z.string(),
  ports: z.array(z.object({ name: z.string().optional(), containerPort: z.number() })).default([]),
});
const podObject = z.object({
  spec: z.object({ initContainers: z.array(container), containers: z.array(container) }),
  status: z.object({ podIP: z.string() }),
});
const gatewayObject = z.object({
  metadata: z.object({ uid: z.string() }),
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string() })),
    warnings: z.array(z.string()).default([]),
  }),
});
const networkPolicy = z.object({
  metadata: z.object({ ownerReferences: z.array(z.object({ kind: z.string(), uid: z.string() })) }),
  spec: z.looseObject({}),
});

describeWithCluster('interception by Port', (cluster) => {
  let endTurn = (): void => undefined;
  let namespace = '';
  let clients = '';

  beforeAll(async () => {
    endTurn = await takeTurn(cluster());
    await provideImage(cluster());
    await installGatehouse(cluster(), ['recorder.storage.kind=EmptyDir']);
    namespace = await cluster().createNamespace('port', {
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    clients = await cluster().createNamespace('port-client');
    await cluster().apply([client(cluster())], clients);
    await cluster().apply([gateway('Port')], namespace);
    await cluster().waitFor('mcpgateway/orders', 'Accepted', namespace);
    await cluster().apply([service('orders', 'mcp'), pod(cluster(), 'orders')], namespace);
    await cluster().waitFor('pod/orders', 'Ready', namespace);
    await cluster().waitFor('pod/client', 'Ready', clients);
  }, 1_600_000);

  afterAll(async () => {
    for (const name of [namespace, clients]) await cluster().removeNamespace(name);
    await uninstallGatehouse(cluster());
    endTurn();
  }, 300_000);

  const from = (script: string): Promise<string> =>
    cluster()
      .script('client', script, { namespace: clients })
      .then((text) => text.trim());
  const status = async (): Promise<z.output<typeof gatewayObject>['status']> =>
    (await cluster().get(gatewayObject, 'mcpgateway/orders', namespace)).status;

  it('moves the name of the port to the sidecar, without a network container, in a restricted namespace', async () => {
    const { spec } = await cluster().get(podObject, 'pod/orders', namespace);
    expect(spec.initContainers.map(({ name }) => name)).toEqual(['gatehouse-proxy']);
    const owners = [...spec.initContainers, ...spec.containers].flatMap(({ name, ports }) =>
      ports.map((port) => [name, port.name, port.containerPort]),
    );
    expect(owners).toContainEqual(['gatehouse-proxy', 'mcp', 15_000]);
    expect(owners).toContainEqual(['server', undefined, PORT]);
  });

  it('leads calls through the Service to the sidecar, which wants a token and knows the Service by name', async () => {
    const url = `http://orders.${namespace}.svc/hello`;
    expect(await from(getting(url, 'none'))).toMatch(/^401 /);
    expect(await from(getting(url, 'token'))).toBe('200 SERVER');
    expect(await from(getting(url, 'token', 'evil.example'))).toMatch(/^403 /);
  });

  it('asks the network to let nothing but the sidecar be reached, by a policy that goes with the gateway', async () => {
    const { metadata } = await cluster().get(gatewayObject, 'mcpgateway/orders', namespace);
    const policy = await cluster().get(networkPolicy, 'networkpolicy/gatehouse-orders', namespace);
    expect(policy.metadata.ownerReferences).toMatchObject([{ kind: 'McpGateway', uid: metadata.uid }]);
    expect(policy.spec).toEqual({
      podSelector: { matchLabels: LABELS },
      policyTypes: ['Ingress'],
      ingress: [{ ports: [15_000, 15_021, 15_020].map((port) => ({ port, protocol: 'TCP' })) }],
    });
  });

  it("is held by the network where it enforces policies; where not, the server's port is reached", async () => {
    const { status: state } = await cluster().get(podObject, 'pod/orders', namespace);
    const outcome = await from(getting(`http://${state.podIP}:${PORT}/hello`, 'none'));
    if (await enforcesPolicies(cluster(), clients)) expect(outcome).toBe('silence');
    else expect(outcome).toBe('200 SERVER');
  });

  it('says what it does not hold, which is so', async () => {
    const { conditions } = await status();
    for (const type of ['EgressEnforced', 'LoopbackEnforced'])
      expect(conditions).toContainEqual(
        expect.objectContaining({
          type,
          status: 'False',
          message: expect.stringContaining('Port') as string,
        }),
      );
    const loopback = getting(`http://127.0.0.1:${PORT}/hello`, 'none');
    const where = { namespace, container: 'other' };
    expect((await cluster().script('orders', loopback, where)).trim()).toBe('200 SERVER');
  });

  it('refuses a pod beside a Service that leads past the sidecar by number, and tells of one that comes later', async () => {
    await cluster().apply([service('by-number', PORT)], namespace);
    await eventually(async () => {
      const [first] = (await status()).warnings;
      expect(first).toMatch(/Service by-number leads to the server's port by number, past the sidecar/);
    });
    expect(await cluster().refusal([pod(cluster(), 'second')], namespace)).toMatch(
      /Service by-number leads to port 8080 by number, past the sidecar; give its targetPort the name/,
    );
    await cluster().kubectl(['delete', 'service/by-number', `--namespace=${namespace}`]);
    await eventually(async () => expect((await status()).warnings).toEqual([]));
  });

  it('refuses a pod whose port has no name to move, and a gateway that would hold what is sent out', async () => {
    expect(await cluster().refusal([pod(cluster(), 'nameless', {})], namespace)).toMatch(
      /needs a name that Services can follow; name it in its ports/,
    );
    const egress = { ...gateway('Port'), metadata: { name: 'holding' } };
    const spec = { ...egress.spec, egress: { default: 'Deny' } };
    expect(await cluster().refusal([{ ...egress, spec }], namespace)).toMatch(/egress/);
  });

  it('takes its policy away with itself', async () => {
    await cluster().apply([gateway('Redirect')], namespace);
    await eventually(async () => {
      const policies = await cluster().kubectl([
        ...['get', 'networkpolicies', '--output=name'],
        `--namespace=${namespace}`,
      ]);
      expect(policies).toBe('');
      expect((await status()).conditions.map(({ type }) => type)).not.toContain('EgressEnforced');
    });
  });
});

function gateway(interception: 'Port' | 'Redirect') {
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { name: 'orders' },
    spec: {
      interception,
      selector: { matchLabels: { app: 'orders' } },
      server: { container: 'server', port: PORT, passthrough: [{ path: '/hello', methods: ['GET'] }] },
      identity: [{ name: 'agents', serviceAccount: { audiences: [AUDIENCE] } }],
      access: [{ authenticated: true, tools: ['*'] }],
    },
  };
}

function service(name: string, targetPort: number | string): Readonly<Record<string, unknown>> {
  const spec = { selector: { app: 'orders' }, ports: [{ port: 80, targetPort }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}

function pod(cluster: Cluster, name: string, port: { name?: string } = { name: 'mcp' }) {
  const common = {
    image: cluster.images.node,
    imagePullPolicy: 'IfNotPresent',
    securityContext: restricted,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: LABELS },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          ...common,
          name: 'server',
          args: ['--eval', SERVER],
          ports: [{ ...port, containerPort: PORT }],
          readinessProbe: { httpGet: { path: '/', port: PORT }, periodSeconds: 1 },
        },
        { ...common, name: 'other', args: ['--eval', SLEEP] },
      ],
    },
  };
}

function client(cluster: Cluster): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client', labels: { app: 'client' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'client',
          image: cluster.images.node,
          imagePullPolicy: 'IfNotPresent',
          args: ['--eval', `${SERVER}; ${SLEEP}`],
          volumeMounts: [{ name: 'tokens', mountPath: '/tokens' }],
        },
      ],
      volumes: [
        {
          name: 'tokens',
          projected: { sources: [{ serviceAccountToken: { audience: AUDIENCE, path: 'token' } }] },
        },
      ],
    },
  };
}

/** Prints status and body, or `silence` where nobody answers. */
function getting(url: string, as: 'token' | 'none', host?: string): string {
  return `
    const { get } = await import('node:http');
    const { readFileSync } = await import('node:fs');
    const headers = {
      ${as === 'token' ? "authorization: 'Bearer ' + readFileSync('/tokens/token', 'utf8')," : ''}
      ${host === undefined ? '' : `host: ${JSON.stringify(host)},`}
    };
    console.log(await new Promise((resolve) => {
      const request = get(${JSON.stringify(url)}, { headers, timeout: 5000, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => (body += text));
        response.on('end', () => resolve(response.statusCode + ' ' + body));
      });
      request.on('timeout', () => { request.destroy(); resolve('silence'); });
      request.on('error', (error) => resolve('silence'));
    }));`;
}

/** Whether a policy that lets nobody in keeps somebody out, tried on the client itself. */
async function enforcesPolicies(cluster: Cluster, namespace: string): Promise<boolean> {
  const { status } = await cluster.get(
    z.object({ status: z.object({ podIP: z.string() }) }),
    'pod/client',
    namespace,
  );
  const name = 'nobody';
  await cluster.apply(
    [
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name },
        spec: { podSelector: { matchLabels: { app: 'client' } }, policyTypes: ['Ingress'] },
      },
      { ...client(cluster), metadata: { name: 'prober' } },
    ],
    namespace,
  );
  await cluster.waitFor('pod/prober', 'Ready', namespace);
  const tried = await cluster.script('prober', getting(`http://${status.podIP}:${PORT}/`, 'none'), {
    namespace,
  });
  await cluster.kubectl(['delete', `networkpolicy/${name}`, `--namespace=${namespace}`]);
  return tried.trim() === 'silence';
}
