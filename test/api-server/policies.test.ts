/** The admission policies and webhooks of the chart on a real API server: each is tried with what it is there to refuse. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually } from './api-server.ts';
import { install, OPERATOR, whyNotInstalled, type Installed } from './installed.ts';

const missing = whyNotInstalled();
const PODS = '/api/v1/namespaces/tools/pods';
const GATEWAYS = '/apis/gatehouse.dev/v1alpha1/namespaces/tools/mcpgateways';
const GUARDED = { app: 'orders-mcp', 'gatehouse.dev/inject': 'true' };
const READING = { app: 'reading', 'gatehouse.dev/inject': 'true' };

const anyContainer = z.looseObject({ name: z.string() });
const guardedSpec = z.looseObject({
  initContainers: z.array(anyContainer),
  containers: z.array(anyContainer),
  volumes: z.array(z.looseObject({})),
});
const guardedMetadata = z.object({
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
});
type GuardedSpec = z.output<typeof guardedSpec>;

let installed: Installed;

type Spec = Readonly<Record<string, unknown>>;
const server = (more: Spec = {}): Spec => ({ name: 'server', image: 'registry.example/orders:1', ...more });
const pod = (name: string, labels: Readonly<Record<string, string>>, spec: Spec = {}): object => ({
  metadata: { name, labels },
  spec: { containers: [server()], ...spec },
});
const gateway = (name: string, app: string, more: Spec = {}): object => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'McpGateway',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app } },
    server: { port: 8080 },
    publicUrl: 'https://orders.example/mcp',
    identity: [{ name: 'agents', serviceAccount: {} }],
    access: [{ authenticated: true, tools: ['*'] }],
    ...more,
  },
});

/** A credential that the server reads from a file. */
const licence = {
  credentials: [
    {
      name: 'licence',
      scope: 'Pod',
      source: { vault: { role: 'orders', kv: { mount: 'kv', path: 'licence' } } },
      inject: { file: { name: 'licence', value: '{{ key }}', env: 'LICENCE_FILE' } },
    },
  ],
};
const helper: Spec = { name: 'helper', image: 'registry.example/helper:1' };
const credentialsMount = (readOnly: boolean): Spec => ({
  name: 'gatehouse-credentials',
  mountPath: '/c',
  readOnly,
});

const create = (body: object, path = PODS): Promise<unknown> =>
  installed.admin.request({ method: 'POST', path, body });
const patch = (path: string, body: object): Promise<unknown> =>
  installed.admin.request({ method: 'PATCH', patch: 'merge', path, body });
/** A strategic merge is what kubectl sends; a JSON patch says the same without it. */
const edit = (path: string, body: readonly object[]): Promise<unknown> =>
  installed.admin.request({ method: 'PATCH', patch: 'json', path, body });

describe.skipIf(missing !== undefined)(
  `what the chart refuses${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    beforeAll(async () => {
      installed = await install({
        editor: [],
        node: ['system:nodes'],
        bo: ['dba'],
        eve: ['dba'],
        mallory: [],
      });
      const { admin } = installed;
      for (const [namespace, name] of [
        ['tools', 'orders'],
        ['kube-system', 'system'],
      ])
        await create({ metadata: { name } }, `/api/v1/namespaces/${namespace}/serviceaccounts`);
      await create(gateway('orders', 'orders-mcp'), GATEWAYS);
      await create(
        gateway('reading', 'reading', { server: { port: 8080, container: 'server' }, ...licence }),
        GATEWAYS,
      );
      await create(gateway('lenient', 'lenient', { unguarded: 'Report' }), GATEWAYS);
      // Policies come into force a moment after they are there, and gateways are known a moment later.
      await eventually(() => create(pod('guarded', GUARDED)));
      await eventually(() => create(pod('reading', READING, { containers: [server(), helper] })));
      await eventually(() =>
        expect(create(pod('probing', { app: 'orders-mcp' }), `${PODS}?dryRun=All`)).rejects.toThrow(
          'no sidecar',
        ),
      );
      await eventually(() =>
        expect(
          admin.request({
            method: 'POST',
            path: '/api/v1/namespaces/tools/serviceaccounts/orders/token',
            body: tokenRequest('gatehouse-vault'),
          }),
        ).rejects.toThrow('only nodes'),
      );
    }, 120_000);
    afterAll(async () => {
      await installed[Symbol.asyncDispose]();
    });

    test('a pod that opts in gets the sidecar first, and a second injection would change nothing', async () => {
      const made = z
        .object({
          spec: z.object({ initContainers: z.array(z.object({ name: z.string(), image: z.string() })) }),
        })
        .parse(await installed.admin.request({ method: 'GET', path: `${PODS}/guarded` }));
      expect(made.spec.initContainers.map(({ name }) => name)).toEqual([
        'gatehouse-network',
        'gatehouse-proxy',
      ]);
    });

    test('what the API server fills in makes no difference to a second injection', async () => {
      const first: unknown = await installed.admin.request({ method: 'GET', path: `${PODS}/guarded` });
      const { spec } = z.object({ spec: z.looseObject({}) }).parse(first);
      const again = { metadata: { name: 'again', labels: GUARDED }, spec: { ...spec, nodeName: undefined } };
      const second: unknown = await installed.admin.request({
        method: 'POST',
        path: `${PODS}?dryRun=All`,
        body: again,
      });
      expect(z.object({ spec: z.looseObject({}) }).parse(second).spec).toEqual(spec);
      // The account's own token is for the server alone.
      expect(JSON.stringify(spec['containers'])).toContain('kube-api-access');
      expect(JSON.stringify(spec['initContainers'])).not.toContain('kube-api-access');
    });

    test.each<[string, object, string]>([
      [
        'a selected pod without the label',
        pod('p', { app: 'orders-mcp' }),
        'McpGateway orders guards pods with these labels, and this one has no sidecar; give it the label',
      ],
      [
        'a selected pod with a false sidecar and no label',
        pod(
          'p',
          { app: 'orders-mcp' },
          {
            initContainers: [{ name: 'gatehouse-proxy', image: 'evil.example/p:1', restartPolicy: 'Always' }],
          },
        ),
        'has no sidecar',
      ],
      [
        'a label that no gateway answers',
        pod('p', { app: 'other', 'gatehouse.dev/inject': 'true' }),
        'no McpGateway of namespace tools selects it',
      ],
      ['the network of the node', pod('p', GUARDED, { hostNetwork: true }), 'spec.hostNetwork'],
      [
        'the user of the sidecar',
        pod('p', GUARDED, { securityContext: { runAsUser: 64_311 } }),
        "64311, which is the sidecar's own",
      ],
      [
        'a token of the control audience, opted in',
        pod('p', GUARDED, tokenVolume('t', 'gatehouse-control')),
        'projects a token of the audience gatehouse-control',
      ],
      [
        'a token of the control audience, not opted in',
        pod('p', {}, tokenVolume('gatehouse-token', 'gatehouse-control')),
        'projected into sidecars alone',
      ],
      [
        'credentials of the server, mounted by another container',
        pod('p', READING, {
          containers: [server(), { ...helper, volumeMounts: [credentialsMount(true)] }],
        }),
        'container "helper" mounts gatehouse-credentials',
      ],
      [
        'a token of the Vault audience',
        pod('p', {}, tokenVolume('t', 'gatehouse-vault')),
        'projected into sidecars alone',
      ],
    ])('refused at creation: %s', async (_, body, sentence) => {
      await expect(create(body)).rejects.toThrow(sentence);
    });

    test('let through: pods that no gateway means, tokens of other audiences, and gateways that only report', async () => {
      await create(pod('plain', { app: 'other' }));
      await create(pod('other-token', {}, tokenVolume('t', 'vault')));
      await create(pod('reported', { app: 'lenient' }));
    });

    test('in kube-system nothing is guarded, and still no token of a sidecar is projected', async () => {
      const path = '/api/v1/namespaces/kube-system/pods';
      await create(pod('plain', { app: 'orders-mcp' }), path);
      await expect(
        create(pod('p', GUARDED, tokenVolume('gatehouse-token', 'gatehouse-control')), path),
      ).rejects.toThrow('projected into sidecars alone');
    });

    test.each<[string, string, object, string]>([
      [
        'gains the labels of a gateway',
        'plain',
        { metadata: { labels: { app: 'orders-mcp' } } },
        'labels cannot bring a running pod under a gateway',
      ],
      [
        'gains the opt-in label',
        'plain',
        { metadata: { labels: { 'gatehouse.dev/inject': 'true' } } },
        'cannot change afterwards',
      ],
      [
        'loses the opt-in label',
        'guarded',
        { metadata: { labels: { 'gatehouse.dev/inject': null } } },
        'cannot change afterwards',
      ],
    ])('refused later: a pod that %s', async (_, name, body, sentence) => {
      await expect(patch(`${PODS}/${name}`, body)).rejects.toThrow(sentence);
    });

    test.each([['/spec/containers/0/image'], ['/spec/initContainers/1/image']])(
      'refused later: another image at %s, of a guarded pod alone',
      async (path) => {
        const swap = [{ op: 'replace', path, value: 'evil.example/orders:2' }];
        await expect(edit(`${PODS}/guarded`, swap)).rejects.toThrow('cannot be swapped');
        if (path.includes('/containers')) await edit(`${PODS}/plain`, swap);
      },
    );

    test('let through: other changes of guarded pods, and of selected pods from before the gateway', async () => {
      await patch(`${PODS}/guarded`, { metadata: { labels: { team: 'sales' }, annotations: { note: 'x' } } });
      await create(pod('earlier', { app: 'earlier' }));
      await create(gateway('late', 'earlier'), GATEWAYS);
      await eventually(() =>
        expect(create(pod('later', { app: 'earlier' }), `${PODS}?dryRun=All`)).rejects.toThrow('no sidecar'),
      );
      await patch(`${PODS}/earlier`, { metadata: { finalizers: ['example.com/done'] } });
      await patch(`${PODS}/earlier`, { metadata: { finalizers: null } });
    });

    const debug = (container: Spec, name = 'guarded'): Promise<unknown> =>
      patch(`${PODS}/${name}/ephemeralcontainers?dryRun=All`, {
        spec: {
          ephemeralContainers: [
            {
              name: `d${Math.random().toString(36).slice(2, 8)}`,
              image: 'registry.example/debug:1',
              ...container,
            },
          ],
        },
      });
    test.each<[string, Spec, string]>([
      ['aimed at the sidecar', { targetContainerName: 'gatehouse-proxy' }, 'aimed at gatehouse-proxy'],
      ['with the user of the sidecar', { securityContext: { runAsUser: 64_311 } }, 'runs as 64311'],
      ['with the group of the sidecar', { securityContext: { runAsGroup: 64_311 } }, 'runs as 64311'],
      ['that is privileged', { securityContext: { privileged: true } }, 'is privileged'],
      ['that traces processes', { securityContext: { capabilities: { add: ['SYS_PTRACE'] } } }, 'SYS_PTRACE'],
      [
        'that mounts the token',
        { volumeMounts: [{ name: 'gatehouse-token', mountPath: '/t' }] },
        'mounts gatehouse-token',
      ],
    ])('refused: an ephemeral container %s', async (_, container, sentence) => {
      await expect(debug(container)).rejects.toThrow(sentence);
    });

    test.each([true, false])(
      'refused: an ephemeral container that mounts credentials, readOnly %s',
      async (readOnly) => {
        for (const more of [{}, { targetContainerName: 'server' }])
          await expect(
            debug({ ...more, volumeMounts: [credentialsMount(readOnly)] }, 'reading'),
          ).rejects.toThrow('mounts gatehouse-credentials');
      },
    );

    test('let through: an ephemeral container that keeps the rules, which are written into it', async () => {
      const made = await debug({ targetContainerName: 'server' });
      const { spec } = z
        .object({ spec: z.object({ ephemeralContainers: z.array(z.looseObject({})) }) })
        .parse(made);
      expect(spec.ephemeralContainers.at(-1)?.['securityContext']).toMatchObject({
        runAsUser: 1000,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    });

    test.each(['exec', 'attach'])('refused: %s into the sidecar and the network container', async (verb) => {
      for (const container of ['gatehouse-proxy', 'gatehouse-network']) {
        const path = `${PODS}/guarded/${verb}?container=${container}${verb === 'exec' ? '&command=id' : ''}&stdout=true`;
        await expect(installed.admin.request({ method: 'POST', path })).rejects.toThrow('cannot be entered');
      }
      // The server itself may be entered; without a node there is nobody to enter.
      await expect(
        installed.admin.request({
          method: 'POST',
          path: `${PODS}/guarded/${verb}?container=server&command=id&stdout=true`,
        }),
      ).rejects.toThrow(/does not have a host assigned|not have a host/);
    });

    test.each(['gatehouse-control', 'gatehouse-vault'])(
      'tokens for %s: refused to everyone but nodes',
      async (audience) => {
        const ask = (user: string): Promise<unknown> =>
          installed.api.as(user).request({
            method: 'POST',
            path: '/api/v1/namespaces/tools/serviceaccounts/orders/token',
            body: tokenRequest(audience),
          });
        for (const user of ['admin', 'editor', OPERATOR])
          await expect(ask(user)).rejects.toThrow('only nodes may ask');
        await ask('node');
        await expect(
          installed.admin.request({
            method: 'POST',
            path: '/api/v1/namespaces/kube-system/serviceaccounts/system/token',
            body: tokenRequest(audience),
          }),
        ).rejects.toThrow('only nodes may ask');
      },
    );

    test('tokens for other audiences are for whoever may ask', async () => {
      await installed.api.as('editor').request({
        method: 'POST',
        path: '/api/v1/namespaces/tools/serviceaccounts/orders/token',
        body: tokenRequest('https://orders.example/mcp'),
      });
    });

    describe('decisions of held calls', () => {
      const REQUESTS = '/apis/gatehouse.dev/v1alpha1/namespaces/tools/approvalrequests';
      const held = (
        name: string,
        requester: Spec = { kubernetesUsername: 'eve' },
        more: Spec = {},
      ): object => ({
        apiVersion: 'gatehouse.dev/v1alpha1',
        kind: 'ApprovalRequest',
        metadata: { name },
        spec: {
          gateway: 'orders',
          rule: { name: 'tools/writes', revision: '1' },
          requester: {
            provider: 'staff',
            issuer: 'https://login.example',
            subject: '1',
            username: 'eve',
            ...requester,
          },
          approvers: { users: [], groups: ['dba'], count: 1, notTheRequester: true },
          call: {
            server: 'orders',
            tool: 'query',
            digest: 'a'.repeat(64),
            preview: '{}',
            risk: 40,
            parsed: {},
          },
          expiresAt: '2036-01-01T00:00:00Z',
          ...more,
        },
      });
      const decision = (by: string, more: Spec = {}): object => ({
        by,
        verdict: 'Approve',
        via: 'kubectl',
        at: '2026-01-01T00:00:00Z',
        ...more,
      });
      const decide = (user: string, name: string, ...decisions: object[]): Promise<unknown> =>
        installed.api.as(user).request({
          method: 'PATCH',
          patch: 'merge',
          path: `${REQUESTS}/${name}`,
          body: { spec: { decisions } },
        });
      const hold = (body: object): Promise<unknown> =>
        installed.api.as(OPERATOR).request({ method: 'POST', path: REQUESTS, body });

      beforeAll(async () => {
        await hold(held('first'));
        await hold(held('unmapped', { kubernetesUsername: undefined }));
        await hold(held('closed', {}, { approvers: undefined }));
        await hold(held('settled'));
        await installed.api.as(OPERATOR).request({
          method: 'PATCH',
          patch: 'merge',
          path: `${REQUESTS}/settled/status`,
          body: { status: { phase: 'Expired' } },
        });
      });

      test('only the operator creates requests and writes their status', async () => {
        await expect(
          installed.admin.request({ method: 'POST', path: REQUESTS, body: held('forged') }),
        ).rejects.toThrow('by the operator alone');
        await expect(
          installed.api.as('bo').request({
            method: 'PATCH',
            patch: 'merge',
            path: `${REQUESTS}/first/status`,
            body: { status: { phase: 'Approved' } },
          }),
        ).rejects.toThrow('by the operator alone');
      });

      test.each<[why: string, who: string, name: string, decisions: object[], sentence: string]>([
        ['in the name of another', 'bo', 'first', [decision('eve')], 'by must be bo'],
        [
          'of somebody who is no approver',
          'mallory',
          'first',
          [decision('mallory')],
          'mallory is not among the approvers',
        ],
        ['of the requester', 'eve', 'first', [decision('eve')], 'eve made this call'],
        ['of the requester in the name of another', 'eve', 'first', [decision('bo')], 'by must be eve'],
        ['through a channel', 'bo', 'first', [decision('bo', { via: 'slack' })], 'has via: kubectl'],
        [
          'with a subject',
          'bo',
          'first',
          [decision('bo', { issuer: 'https://login.example', subject: '2' })],
          'neither issuer nor subject',
        ],
        [
          'twice at once',
          'bo',
          'first',
          [decision('bo'), decision('bo', { comment: 'again' })],
          'one decision is appended at a time',
        ],
        [
          'where nobody knows who the requester is to Kubernetes',
          'bo',
          'unmapped',
          [decision('bo')],
          'map usernames with approvers.usernames',
        ],
        ['where there are no approvers', 'bo', 'closed', [decision('bo')], 'bo is not among the approvers'],
        ['after the end', 'bo', 'settled', [decision('bo')], 'the call is Expired already'],
      ])('refused: a decision %s', async (...[, user, name, decisions, sentence]) => {
        await expect(decide(user, name, ...decisions)).rejects.toThrow(sentence);
      });

      test('an approver decides once, and nobody takes it back or changes the call', async () => {
        await decide('bo', 'first', decision('bo', { comment: 'fine' }));
        await expect(
          decide('bo', 'first', decision('bo', { comment: 'fine' }), decision('bo', { verdict: 'Deny' })),
        ).rejects.toThrow('bo has decided already');
        await expect(decide('bo', 'first')).rejects.toThrow('must keep every decision');
        await expect(
          installed.api.as('bo').request({
            method: 'PATCH',
            patch: 'merge',
            path: `${REQUESTS}/first`,
            body: { spec: { requester: { kubernetesUsername: 'mallory' } } },
          }),
        ).rejects.toThrow('must not change requester');
      });

      test('the operator appends for a person it verified', async () => {
        await decide(
          OPERATOR,
          'unmapped',
          decision('ana', { via: 'console', issuer: 'https://login.example', subject: '3' }),
        );
      });
    });

    describe('without the webhook, the policies alone', () => {
      beforeAll(async () => {
        await installed.admin.request({
          method: 'DELETE',
          path: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gatehouse',
        });
        await eventually(() =>
          expect(create(pod('p', { 'gatehouse.dev/inject': 'true' }), `${PODS}?dryRun=All`)).rejects.toThrow(
            'must have the sidecar',
          ),
        );
      });

      /** A pod that was injected, with a part of it changed. */
      const altered = async (
        change: (spec: GuardedSpec) => object,
        { name = 'guarded', annotations = {} }: { name?: string; annotations?: object } = {},
      ): Promise<unknown> => {
        const read: unknown = await installed.admin.request({ method: 'GET', path: `${PODS}/${name}` });
        const { spec, metadata } = z.object({ spec: guardedSpec, metadata: guardedMetadata }).parse(read);
        const clean = { ...spec, nodeName: undefined, ephemeralContainers: undefined };
        const { labels } = metadata;
        const made = { name: 'altered', labels, annotations: { ...metadata.annotations, ...annotations } };
        return create({ metadata: made, spec: { ...clean, ...change(clean) } }, `${PODS}?dryRun=All`);
      };
      const sidecarWith =
        (more: Spec) =>
        ({ initContainers }: GuardedSpec) => ({
          initContainers: initContainers.map((one) =>
            one.name === 'gatehouse-proxy' ? { ...one, ...more } : one,
          ),
        });
      const serverWith =
        (more: Spec) =>
        ({ containers }: GuardedSpec) => ({
          containers: containers.map((one) => ({ ...one, ...more })),
        });

      test('take a pod as injection makes it', async () => {
        await altered(() => ({}));
      });

      test.each<[string, (spec: GuardedSpec) => object, string]>([
        [
          'another image of the sidecar',
          sidecarWith({ image: 'evil.example/gatehouse:1' }),
          'is not the sidecar that Gatehouse makes',
        ],
        [
          'another program of the sidecar',
          sidecarWith({ command: ['sleep'] }),
          'is not the sidecar that Gatehouse makes',
        ],
        [
          'another operator for the sidecar',
          sidecarWith({ env: [{ name: 'GATEHOUSE_CONTROL_URL', value: 'https://evil.example' }] }),
          'is not the sidecar that Gatehouse makes',
        ],
        [
          'a container before the sidecar',
          ({ initContainers }) => ({
            initContainers: [
              {
                ...initContainers[1],
                name: 'first',
                restartPolicy: undefined,
                startupProbe: undefined,
                livenessProbe: undefined,
                readinessProbe: undefined,
                volumeMounts: [],
              },
              ...initContainers,
            ],
          }),
          'may start before the sidecar',
        ],
        [
          'a container without a user',
          serverWith({
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          }),
          'must state a runAsUser',
        ],
        [
          'a container with the capabilities of its runtime',
          serverWith({ securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false } }),
          'capabilities.drop [ALL]',
        ],
        [
          'a container that mounts the token',
          serverWith({ volumeMounts: [{ name: 'gatehouse-token', mountPath: '/t' }] }),
          'only the sidecar may mount',
        ],
        [
          'a hostPath',
          ({ volumes }) => ({ volumes: [...volumes, { name: 'node', hostPath: { path: '/' } }] }),
          'must have no hostPath',
        ],
      ])('refuse %s', async (_, change, sentence) => {
        await expect(altered(change)).rejects.toThrow(sentence);
      });

      const safe = { runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
      describe('credentials that the server reads', () => {
        const mounting = (who: string, readOnly: boolean) => (container: z.output<typeof anyContainer>) =>
          container.name === who ? { ...container, volumeMounts: [credentialsMount(readOnly)] } : container;
        const inContainers =
          (...changes: ((one: z.output<typeof anyContainer>) => z.output<typeof anyContainer>)[]) =>
          ({ containers }: GuardedSpec) => ({
            containers: containers.map((one) => changes.reduce((changed, change) => change(changed), one)),
          });
        const reading = { name: 'reading' };

        test('take a pod as injection makes it, where the server alone mounts them', async () => {
          await altered(() => ({}), reading);
          await altered(inContainers(mounting('server', true)), reading);
        });

        test.each<[string, (spec: GuardedSpec) => object]>([
          ['the server to write', inContainers(mounting('server', false))],
          ['another container too', inContainers(mounting('helper', true))],
          ['another container to write', inContainers(mounting('helper', false))],
          [
            'another container alone',
            inContainers(
              (one) => (one.name === 'server' ? { ...one, volumeMounts: [] } : one),
              mounting('helper', true),
            ),
          ],
          [
            'an init container',
            ({ initContainers, containers }) => ({
              initContainers: [
                ...initContainers,
                { ...containers.map(mounting('helper', true))[1], name: 'early' },
              ],
            }),
          ],
        ])('refuse them mounted by %s', async (_, change) => {
          await expect(altered(change, reading)).rejects.toThrow('only the sidecar may mount');
        });

        test('refuse them to a container that only the annotation of another pod would name', async () => {
          const annotations = { 'gatehouse.dev/server': 'gatehouse-proxy' };
          await expect(altered(() => ({}), { ...reading, annotations })).rejects.toThrow(
            'only the sidecar may mount',
          );
          const early = ({ initContainers, containers }: GuardedSpec): object => ({
            initContainers: [...initContainers, { ...containers[0], name: 'early' }],
          });
          await expect(
            altered(early, { ...reading, annotations: { 'gatehouse.dev/server': 'early' } }),
          ).rejects.toThrow('only the sidecar may mount');
        });

        test('loosen nothing for other volumes', async () => {
          for (const name of ['gatehouse-state', 'gatehouse-token', 'gatehouse-nothing']) {
            const mount = { name, mountPath: '/c', readOnly: true };
            const change = inContainers((one) =>
              one.name === 'server' ? { ...one, volumeMounts: [mount] } : one,
            );
            await expect(altered(change, reading)).rejects.toThrow('only the sidecar may mount');
          }
        });

        test.each([true, false])('refuse them to an ephemeral container, readOnly %s', async (readOnly) => {
          const container = { securityContext: safe, volumeMounts: [credentialsMount(readOnly)] };
          await expect(debug(container, 'reading')).rejects.toThrow('only the sidecar may mount');
          await expect(debug({ ...container, targetContainerName: 'server' }, 'reading')).rejects.toThrow(
            'only the sidecar may mount',
          );
        });
      });

      test.each<[string, Spec, string]>([
        [
          'aimed at the sidecar',
          { targetContainerName: 'gatehouse-proxy', securityContext: safe },
          'cannot be aimed at the sidecar',
        ],
        ['without a user', { securityContext: { ...safe, runAsUser: undefined } }, 'must state a runAsUser'],
        [
          'with the user of the sidecar',
          { securityContext: { ...safe, runAsUser: 64_311 } },
          'which is the sidecar',
        ],
        [
          'with the group of the sidecar',
          { securityContext: { ...safe, runAsGroup: 64_311 } },
          'which is the sidecar',
        ],
        [
          'that adds a capability',
          { securityContext: { ...safe, capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] } } },
          'must drop all capabilities',
        ],
        [
          'that mounts the token',
          { securityContext: safe, volumeMounts: [{ name: 'gatehouse-token', mountPath: '/t' }] },
          'only the sidecar may mount',
        ],
      ])('refuse an ephemeral container %s', async (_, container, sentence) => {
        await expect(debug(container)).rejects.toThrow(sentence);
      });

      test('take an ephemeral container that keeps the rules', async () => {
        await debug({ securityContext: safe });
      });
    });
  },
);

function tokenRequest(audience: string): object {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [audience] } };
}

function tokenVolume(name: string, audience: string): Spec {
  return {
    volumes: [{ name, projected: { sources: [{ serviceAccountToken: { audience, path: 'token' } }] } }],
  };
}
