import { expect, test } from 'vitest';
import { mcpGatewayStatus } from '../../crds/mcp-gateway.ts';
import type { ObjectConditions } from '../compile/index.ts';
import type { SelectedPod } from '../source/kubernetes/guarded-pods.ts';
import { PODS } from '../source/kubernetes/resources.ts';
import { notInjected, regardingPod } from './events.ts';
import { isWritten, statusOf, wantedOfGateway, wantedOfPolicy, type GatewayPods } from './status.ts';

const NOW = Date.parse('2030-01-01T00:00:00Z');

const object: ObjectConditions = {
  ...{ kind: 'McpGateway', namespace: 'tools', name: 'orders', gateways: [], warnings: ['x'.repeat(2000)] },
  conditions: [
    { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The gateway is valid.' },
    { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'Its bundle is r1.' },
  ],
};

function selected(change: Partial<SelectedPod> = {}, labels: Record<string, string> = {}): SelectedPod {
  const metadata = {
    ...{ namespace: 'tools', name: 'orders-1', uid: 'u1', resourceVersion: '1', labels },
    creationTimestamp: '2029-01-01T00:00:00Z',
  };
  const pod = PODS.schema.parse({ metadata, spec: {}, status: { phase: 'Running' } });
  return {
    ...{ pod, gateway: 'tools/orders', conflicting: [], guarded: true, ready: true, injection: 'now' },
    ...change,
  };
}

function wanted(pods: Partial<GatewayPods>, change: Partial<ObjectConditions> = {}) {
  return wantedOfGateway({
    object: { ...object, ...change },
    interception: 'Redirect',
    revision: 'r1',
    past: [],
    pods: { answering: [], taken: [], injection: 'now', ...pods },
  });
}

const ready = (pods: Partial<GatewayPods>, change: Partial<ObjectConditions> = {}) =>
  wanted(pods, change).conditions.find(({ type }) => type === 'Ready');

const refused: ObjectConditions['conditions'] = [
  { type: 'Programmed', status: 'False', reason: 'NotAccepted', message: 'No.' },
];

test.each([
  ['no pod', {}, {}, 'NoPods'],
  ['a pod that takes calls', { answering: [selected()] }, {}, 'Ready'],
  ['a sidecar that is not ready', { answering: [selected({ ready: false })] }, {}, 'PodsNotReady'],
  ['a pod without sidecar', { answering: [selected(), selected({ guarded: false })] }, {}, 'PodsUnguarded'],
  ['pods of an older gateway alone', { taken: [selected({ gateway: 'tools/older' })] }, {}, 'Conflicted'],
  ['no bundle', { answering: [selected()] }, { conditions: refused }, 'NotProgrammed'],
])('with %s, Ready says so', (_, pods, change, reason) => {
  expect(ready(pods, change)).toMatchObject({ reason, status: reason === 'Ready' ? 'True' : 'False' });
});

test('counts what is guarded, what was injected by other settings, and what is bare', () => {
  const answering = [selected(), selected({ injection: 'before' }), selected({ guarded: false })];
  expect(wanted({ answering }).members['pods']).toEqual({ guarded: 2, outdated: 1, unguarded: 1 });
  expect(wanted({ answering, injection: undefined }).members['pods']).toMatchObject({ outdated: 0 });
});

test('a conflict names the older gateway', () => {
  const condition = wanted({
    answering: [selected()],
    taken: [selected({ gateway: 'tools/older' })],
  }).conditions.at(-1);
  expect(condition).toMatchObject({ type: 'Conflicted', status: 'True' });
  expect(condition?.message).toContain('tools/older');
});

test('interception Port says what it does not hold', () => {
  const { conditions, members } = wantedOfGateway({
    ...{ object, interception: 'Port', revision: 'r1', past: ['by-number'] },
    pods: { answering: [], taken: [], injection: undefined },
  });
  expect(members['warnings']).toContainEqual(expect.stringContaining('Service by-number'));
  expect(conditions.filter(({ reason }) => reason === 'InterceptionPort').map(({ type }) => type)).toEqual([
    'EgressEnforced',
    'LoopbackEnforced',
  ]);
});

test('what is written has the shape of the kind, keeps the times of what stays, and is then not written again', () => {
  const first = statusOf(wanted({}), { generation: 1, now: NOW, before: undefined });
  const { pods, bundle, warnings } = first;
  expect(mcpGatewayStatus.parse({ pods, bundle, warnings })).toEqual({ pods, bundle, warnings });
  expect(isWritten(statusOf(wanted({}), { generation: 1, now: NOW + 1, before: first }), first)).toBe(true);
  const later = statusOf(wanted({ answering: [selected()] }), { generation: 2, now: NOW + 1, before: first });
  expect(isWritten(later, first)).toBe(false);
  expect(
    later.conditions.map(({ type, lastTransitionTime }) => [type, Date.parse(lastTransitionTime) - NOW]),
  ).toEqual([
    ['Accepted', 0],
    ['Programmed', 0],
    ['Ready', 1],
  ]);
  expect(later.conditions.every(({ observedGeneration }) => observedGeneration === 2)).toBe(true);
});

test('a policy says which gateways took it', () => {
  const policy = { ...object, kind: 'ApprovalRule' as const, gateways: ['tools/a', 'tools/b', 'other/a'] };
  expect(wantedOfPolicy(policy).members).toEqual({ gateways: ['a', 'b'] });
});

test.each([
  ['has no label', {}, '2028-01-01T00:00:00Z', 'gatehouse.dev/inject'],
  ['is older than the gateway', { 'gatehouse.dev/inject': 'true' }, '2029-06-01T00:00:00Z', 'older than'],
  ['was made without the webhook', { 'gatehouse.dev/inject': 'true' }, '2028-01-01T00:00:00Z', 'not asked'],
])('the event of a bare pod that %s says why, once a pod', (_, labels, created, why) => {
  const bare = selected({ guarded: false }, labels);
  const event = notInjected(bare, regardingPod(bare), created);
  expect(event.note).toContain(why);
  expect(event.name).toBe(notInjected(bare, regardingPod(bare), created).name);
});
