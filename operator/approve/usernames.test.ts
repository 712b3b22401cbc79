import { expect, test } from 'vitest';
import { demand, person, rule } from '../../test/fixtures/approval.ts';
import { bundleOf } from '../../test/fixtures/bundle.ts';
import { opened } from './life.ts';
import type { ApprovalRequest } from './object.ts';
import { settled } from './settle.ts';
import { kubernetesNames } from './usernames.ts';

const ISSUER = 'https://issuer.test';
const NOW = Date.parse('2026-01-01T00:00:00Z');
const oidc = {
  kind: 'oidc' as const,
  name: 'staff',
  issuer: ISSUER,
  audiences: ['x'],
  groupsClaim: 'groups',
};
const bundle = bundleOf({ identity: [{ ...oidc, usernameClaim: 'email' }] });
const board = { bundle: () => bundle };

const names = (claim: string, issuer = ISSUER) =>
  kubernetesNames([{ issuer, claim, prefix: 'oidc:' }], board)('tools/orders', person('sam'));

test('a person has the name in Kubernetes that a known claim gives, and else none', () => {
  expect(names('email')).toBe('oidc:sam');
  expect(names('sub')).toBe('oidc:sub-sam');
  expect(names('upn')).toBeUndefined();
  expect(names('email', 'https://other.test')).toBeUndefined();
});

test('a service account is called as its token calls it', () => {
  const jwks = { keys: [] };
  const own = bundleOf({
    identity: [{ kind: 'serviceAccount', name: 'agents', issuer: ISSUER, audiences: ['x'], jwks }],
  });
  const subject = 'system:serviceaccount:agents:triage';
  const name = kubernetesNames([], { bundle: () => own })('tools/orders', {
    issuer: ISSUER,
    subject,
    username: 'x',
  });
  expect(name).toBe(subject);
});

const mapped = kubernetesNames([{ issuer: ISSUER, claim: 'email', prefix: '' }], board);

type Decision = ApprovalRequest['spec']['decisions'][number];

function phaseWith(decisions: readonly Partial<Decision>[], count = 1, kubernetesUsername?: null) {
  const strict = { ...rule, approvers: { ...rule.approvers, count } };
  const fresh = opened(demand, strict, {
    id: 'a',
    now: NOW,
    kubernetesUsername: kubernetesUsername === null ? undefined : 'sam',
  });
  const request: ApprovalRequest = {
    ...fresh,
    metadata: { ...fresh.metadata, resourceVersion: '1' },
    spec: {
      ...fresh.spec,
      decisions: decisions.map((entry) => ({
        by: 'dora',
        verdict: 'Approve',
        via: 'kubectl',
        at: '',
        ...entry,
      })),
    },
  };
  return settled(request, NOW, mapped).status.phase;
}

const token = { via: 'api', issuer: ISSUER, subject: 'sub-dora' };

test('decisions count by person, whichever way they came', () => {
  expect(phaseWith([])).toBe('Pending');
  expect(phaseWith([{}])).toBe('Approved');
  expect(phaseWith([{ verdict: 'Deny' }, { by: 'eve' }])).toBe('Denied');
  expect(phaseWith([{}, {}], 2)).toBe('Pending');
  expect(phaseWith([{}, token], 2)).toBe('Pending');
  expect(phaseWith([{}, { ...token, by: 'eve', subject: 'sub-eve' }], 2)).toBe('Approved');
});

test('the requester does not count, under any of their names, nor kubectl where they have none there', () => {
  expect(phaseWith([{ by: 'sam' }])).toBe('Pending');
  expect(phaseWith([{ by: 'sam', verdict: 'Deny' }])).toBe('Pending');
  expect(phaseWith([{ ...token, subject: 'sub-sam', by: 'samuel' }])).toBe('Pending');
  expect(phaseWith([{}], 1, null)).toBe('Pending');
});
