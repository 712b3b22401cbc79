/** What the people of the story apply: a server, who may call what, and who decides. */
import { CLIENT_PROGRAM, SERVER_PROGRAM, STORY_IMAGE } from './image.ts';

export const PORT = 3001;
export const TOKEN = '/tokens/token';

type Manifest = Readonly<Record<string, unknown>>;

const image = { image: STORY_IMAGE, imagePullPolicy: 'IfNotPresent' };

export function urlIn(namespace: string): string {
  return `http://everything.${namespace}.svc/mcp`;
}

export function bo(namespace: string): string {
  return `system:serviceaccount:${namespace}:bo`;
}

/** Triage may call three tools, of which one is denied to everybody and one waits for Bo where numbers are large. */
export function policies(namespace: string): readonly Manifest[] {
  const apiVersion = 'gatehouse.dev/v1alpha1';
  const targetRefs = [{ kind: 'McpGateway', name: 'everything' }];
  return [
    {
      apiVersion,
      kind: 'McpGateway',
      metadata: { name: 'everything' },
      spec: {
        selector: { matchLabels: { app: 'everything' } },
        server: { port: PORT },
        publicUrl: urlIn(namespace),
        identity: [{ name: 'agents', serviceAccount: {} }],
        access: [{ serviceAccounts: [`${namespace}/triage`], tools: ['echo', 'get-sum', 'get-env'] }],
      },
    },
    {
      apiVersion,
      kind: 'MaskingPolicy',
      metadata: { name: 'no-cards' },
      spec: { targetRefs, detectors: [{ preset: 'PaymentCards' }] },
    },
    {
      apiVersion,
      kind: 'ApprovalRule',
      metadata: { name: 'no-environment' },
      spec: { targetRefs, match: { tools: ['get-env'] }, effect: 'Deny' },
    },
    {
      apiVersion,
      kind: 'ApprovalRule',
      metadata: { name: 'large-sums' },
      spec: {
        targetRefs,
        match: { tools: ['get-sum'], when: 'request.arguments.a > 1000' },
        effect: 'RequireApproval',
        approvers: { users: [bo(namespace)], notTheRequester: true },
      },
    },
  ];
}

const podTemplate = {
  metadata: { labels: { app: 'everything', 'gatehouse.dev/inject': 'true' } },
  spec: {
    terminationGracePeriodSeconds: 5,
    containers: [
      {
        name: 'server',
        ...image,
        args: [SERVER_PROGRAM],
        env: [{ name: 'PORT', value: String(PORT) }],
        ports: [{ containerPort: PORT }],
        readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
      },
    ],
  },
};

/** One more pod of the server, which begins when its gate is taken away. */
export const gatedPod: Manifest = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'late', ...podTemplate.metadata },
  spec: { ...podTemplate.spec, schedulingGates: [{ name: 'story.test/later' }] },
};

export const server: readonly Manifest[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'everything' },
    spec: {
      selector: { matchLabels: { app: 'everything' } },
      template: podTemplate,
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'everything' },
    spec: { selector: { app: 'everything' }, ports: [{ port: 80, targetPort: PORT }] },
  },
];

/** Triage calls from a pod of its own; Bo has a kubeconfig and may decide. */
export function people(namespace: string): readonly Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'triage' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'bo' } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'approvers' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'gatehouse-approver',
      },
      subjects: [{ kind: 'ServiceAccount', name: 'bo', namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'triage' },
      spec: {
        serviceAccountName: 'triage',
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'client',
            ...image,
            args: ['--eval', 'setInterval(() => undefined, 1e6)'],
            volumeMounts: [{ name: 'tokens', mountPath: '/tokens' }],
          },
        ],
        volumes: [
          {
            name: 'tokens',
            projected: {
              sources: [{ serviceAccountToken: { audience: urlIn(namespace), path: 'token' } }],
            },
          },
        ],
      },
    },
  ];
}

export function callCommand(namespace: string, tool: string, args: object): readonly string[] {
  return ['node', CLIENT_PROGRAM, urlIn(namespace), TOKEN, tool, JSON.stringify(args)];
}
