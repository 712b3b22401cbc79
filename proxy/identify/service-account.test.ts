import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { identityProvider } from '../../crds/bundle.ts';
import { createIdentify, createServiceAccountVerifier, type Identify } from './index.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const RESOURCE = 'https://orders.example/mcp';
const NOW = Date.parse('2030-01-01T00:00:00Z');
const SUBJECT = 'system:serviceaccount:agents:triage';

const { privateKey, publicKey } = await generateKeyPair('RS256');
const other = await generateKeyPair('RS256');
const provider = {
  kind: 'serviceAccount' as const,
  name: 'agents',
  issuer: ISSUER,
  audiences: [RESOURCE],
  jwks: { keys: [{ ...(await exportJWK(publicKey)), kty: 'RSA', kid: 'k1', alg: 'RS256', use: 'sig' }] },
};

function token(change: { subject?: string; audience?: string; kid?: string } = {}, key = privateKey) {
  return new SignJWT({ 'kubernetes.io': { namespace: 'agents' } })
    .setProtectedHeader({ alg: 'RS256', kid: change.kid ?? 'k1' })
    .setIssuer(ISSUER)
    .setAudience(change.audience ?? RESOURCE)
    .setSubject(change.subject ?? SUBJECT)
    .setIssuedAt(NOW / 1000)
    .setExpirationTime(NOW / 1000 + 600)
    .sign(key);
}

const identify: Identify = createIdentify([provider], {
  resource: RESOURCE,
  now: () => NOW,
  verifierFor: (wanted) => {
    if (wanted.kind !== 'serviceAccount') throw new Error('There is one provider.');
    return createServiceAccountVerifier(wanted, () => NOW);
  },
});
const bearer = (value: string) => ({ headersDistinct: { authorization: [`Bearer ${value}`] } });

test('the provider survives the wire with its keys', () => {
  expect(identityProvider.parse(JSON.parse(JSON.stringify(provider)))).toEqual(provider);
});

test('a token of the cluster proves a service account and its groups', async () => {
  expect(await identify(bearer(await token()))).toMatchObject({
    provider: 'agents',
    issuer: ISSUER,
    subject: SUBJECT,
    username: SUBJECT,
    serviceAccount: 'agents/triage',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:agents', 'system:authenticated'],
  });
});

test.each([
  ['of another audience', () => token({ audience: 'gatehouse-control' }), /not for/],
  ['of a node', () => token({ subject: 'system:node:one' }), /does not speak for a service account/],
  ['of a name with a colon more', () => token({ subject: `${SUBJECT}:x` }), /does not speak for/],
  ['signed by a stranger', () => token({}, other.privateKey), /signature/],
  ['signed with an unknown key', () => token({ kid: 'k2' }, other.privateKey), /key that its issuer/],
])('a token %s proves nothing', async (_, make, sentence) => {
  await expect(identify(bearer(await make()))).rejects.toThrow(sentence);
});
