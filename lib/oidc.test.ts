import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTHeaderParameters,
} from 'jose';
import { fetch } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issueAuthority, issueServerLeaf } from './certificates.ts';
import { claimedIssuer, createOidcVerifier, type OidcProvider, type OidcVerifier } from './oidc.ts';

const AUDIENCE = 'https://orders.test/mcp';
const HOUR = 3_600_000;

interface Key {
  readonly kid: string;
  readonly sign: CryptoKey;
  readonly jwk: JWK;
}

async function newKey(alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  return { kid, sign: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

let server: Server;
let url: string;
let keys: Key[];
let fetches: { discovery: number; jwks: number };
let fault: RequestListener | undefined;
let now: number;
let verifier: OidcVerifier;
const opened: OidcVerifier[] = [];

const answer: RequestListener = (req, res) => {
  if (fault !== undefined) {
    fault(req, res);
    return;
  }
  const discovery = req.url?.startsWith('/.well-known') === true;
  fetches[discovery ? 'discovery' : 'jwks'] += 1;
  const body = discovery ? { issuer: url, jwks_uri: `${url}/jwks` } : { keys: keys.map(({ jwk }) => jwk) };
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

function verifierOf(change: Partial<OidcProvider> = {}): OidcVerifier {
  const provider = {
    name: 'staff',
    issuer: url,
    audiences: [AUDIENCE],
    usernameClaim: 'email',
    groupsClaim: 'groups',
    ...change,
  };
  const made = createOidcVerifier(provider, { fetch, now: () => now });
  opened.push(made);
  return made;
}

beforeEach(async () => {
  fault = undefined;
  fetches = { discovery: 0, jwks: 0 };
  now = Date.now();
  keys = [await newKey()];
  server = createServer((req, res) => {
    answer(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  verifier = verifierOf();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((entry) => entry.close()));
  server.closeAllConnections();
  server.close();
});

interface Minted {
  readonly key?: Key;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly claims?: Record<string, unknown>;
}

function mint({ key = keys[0], header = {}, claims = {} }: Minted = {}): Promise<string> {
  if (key === undefined) throw new Error('There is no key to sign with.');
  const seconds = Math.floor(now / 1000);
  return new SignJWT({
    iss: url,
    aud: AUDIENCE,
    sub: 'u-1',
    email: 'sam@example.test',
    groups: ['support'],
    iat: seconds,
    exp: seconds + 600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header })
    .sign(key.sign, { crit: { 'x-ext': true } });
}

function unsigned(header: Record<string, unknown>, signature: (input: string) => string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part(header)}.${part({ iss: url, aud: AUDIENCE, sub: 'u-1', exp: now / 1000 + 600 })}`;
  return `${input}.${signature(input)}`;
}

describe('a good token', () => {
  test('says who is calling', async () => {
    const seconds = Math.floor(now / 1000) + 600;
    const found = await verifier.verify(await mint({ claims: { azp: 'client-1', client_id: 'client-2' } }));
    expect(found).toMatchObject({
      issuer: url,
      subject: 'u-1',
      username: 'sam@example.test',
      clientId: 'client-1',
      groups: ['support'],
      expiresAt: seconds * 1000,
    });
    expect(found.claims['email']).toBe('sam@example.test');
  });

  test.each([
    ['as text', 'dba', ['dba']],
    ['absent', undefined, []],
    ['with members that are no text', ['dba', 7, null, ''], ['dba']],
    ['of another shape', { dba: true }, []],
  ])('may have groups %s', async (_, groups, expected) => {
    expect((await verifier.verify(await mint({ claims: { groups } }))).groups).toEqual(expected);
  });

  test('may be of type JWT or at+jwt, and for several audiences', async () => {
    for (const typ of ['JWT', 'at+jwt', 'application/at+jwt', 'AT+JWT']) {
      await expect(verifier.verify(await mint({ header: { typ } }))).resolves.toBeDefined();
    }
    await expect(
      verifier.verify(await mint({ claims: { aud: ['other', AUDIENCE] } })),
    ).resolves.toBeDefined();
  });

  test('may be signed with any asymmetric algorithm', async () => {
    for (const alg of ['RS256', 'PS384', 'ES384', 'EdDSA']) keys.push(await newKey(alg));
    for (const key of keys) {
      const header = { alg: key.jwk.alg ?? '' };
      await expect(verifier.verify(await mint({ key, header }))).resolves.toBeDefined();
    }
  });

  test('may name no key where several could have signed it', async () => {
    keys.push(await newKey());
    for (const { sign, jwk } of keys) {
      const key = { sign, jwk, kid: '' };
      const token = await new SignJWT({ iss: url, aud: AUDIENCE, sub: 'u', email: 'e', exp: now / 1000 + 60 })
        .setProtectedHeader({ alg: 'ES256' })
        .sign(key.sign);
      await expect(verifier.verify(token)).resolves.toMatchObject({ subject: 'u' });
    }
  });

  test('is good for 30 seconds more, because clocks differ', async () => {
    const token = await mint();
    now += 600_000 + 29_000;
    await expect(verifier.verify(token)).resolves.toBeDefined();
    now += 2_000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_expired' });
  });
});

describe('a bad token', () => {
  const seconds = (): number => Math.floor(now / 1000);

  test.each<[string, string, () => Promise<string> | string]>([
    ['text that is no JWT', 'token_malformed', () => 'hello'],
    ['too large', 'token_malformed', () => mint({ claims: { pad: 'x'.repeat(16_000) } })],
    ['unsigned', 'token_malformed', () => unsigned({ alg: 'none' }, () => '')],
    [
      "signed with the issuer's public key as a secret",
      'token_malformed',
      () =>
        unsigned({ alg: 'HS256', kid: keys[0]?.kid }, (input) =>
          createHmac('sha256', JSON.stringify(keys[0]?.jwk)).update(input).digest('base64url'),
        ),
    ],
    ['with critical extensions', 'token_malformed', () => mint({ header: { crit: ['x-ext'], 'x-ext': 1 } })],
    ['of another type', 'token_malformed', () => mint({ header: { typ: 'logout+jwt' } })],
    ['without a subject', 'token_malformed', () => mint({ claims: { sub: undefined } })],
    ['without an end', 'token_malformed', () => mint({ claims: { exp: undefined } })],
    ['without the username claim', 'token_malformed', () => mint({ claims: { email: undefined } })],
    ['with a username that is no text', 'token_malformed', () => mint({ claims: { email: { a: 1 } } })],
    ['of another issuer', 'token_wrong_issuer', () => mint({ claims: { iss: 'https://evil.test' } })],
    ['of no issuer', 'token_wrong_issuer', () => mint({ claims: { iss: undefined } })],
    ['for another audience', 'token_wrong_audience', () => mint({ claims: { aud: 'https://other.test' } })],
    ['for no audience', 'token_wrong_audience', () => mint({ claims: { aud: undefined } })],
    ['expired', 'token_expired', () => mint({ claims: { exp: seconds() - 31 } })],
    ['not valid yet', 'token_expired', () => mint({ claims: { nbf: seconds() + 60 } })],
    ['signed by a stranger', 'token_bad_signature', async () => mint({ key: await newKey() })],
    [
      'signed by a stranger under a known key id',
      'token_bad_signature',
      async () => mint({ key: { ...(await newKey()), kid: keys[0]?.kid ?? '' } }),
    ],
    ['changed after signing', 'token_bad_signature', async () => tampered(await mint())],
  ])('%s is refused', async (_, code, token) => {
    await expect(verifier.verify(await token())).rejects.toMatchObject({ code });
  });

  function tampered(token: string): string {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify({ ...claims, groups: ['dba'] })).toString('base64url');
    return [header, changed, signature].join('.');
  }

  test('is not quoted in the error', async () => {
    const token = await mint({ claims: { aud: 'https://other.test' } });
    const error: unknown = await verifier.verify(token).catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain(token.slice(20, 60));
    expect(String(error)).toContain(AUDIENCE);
  });
});

describe('keys', () => {
  test('are fetched once for many tokens at a time', async () => {
    const token = await mint();
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)));
    expect(fetches).toEqual({ discovery: 1, jwks: 1 });
  });

  test('are fetched again for a new key, but not within the cooldown', async () => {
    await verifier.verify(await mint());
    keys.unshift(await newKey());
    await expect(verifier.verify(await mint())).rejects.toMatchObject({ code: 'token_bad_signature' });
    expect(fetches.jwks).toBe(1);
    now += 30_000;
    await verifier.verify(await mint());
    expect(fetches.jwks).toBe(2);
  });

  test('that were invented do not flood the issuer', async () => {
    await verifier.verify(await mint());
    now += 30_000;
    for (let n = 0; n < 10; n += 1) {
      const token = await mint({ key: await newKey() });
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_bad_signature' });
    }
    expect(fetches.jwks).toBe(2);
  });

  test('are refreshed in the background, and waited for once they are stale', async () => {
    const [old] = keys;
    await verifier.verify(await mint());
    keys = [await newKey()];
    now += 6 * 60_000;
    await verifier.verify(await mint({ key: old as Key }));
    await expect.poll(() => fetches.jwks).toBe(2);
    const [second] = keys;
    keys = [await newKey()];
    now += HOUR + 1;
    await expect(verifier.verify(await mint({ key: second as Key }))).rejects.toMatchObject({
      code: 'token_bad_signature',
    });
  });

  test('that are known are used while the issuer is away; unknown ones are refused', async () => {
    await verifier.verify(await mint());
    fault = (_, res) => res.destroy();
    now += 2 * HOUR;
    await expect(verifier.verify(await mint())).resolves.toBeDefined();
    now += 2 * HOUR;
    const stranger = mint({ key: await newKey() });
    await expect(verifier.verify(await stranger)).rejects.toMatchObject({ code: 'issuer_unavailable' });
  });

  test('come as soon as an issuer that was away is back', async () => {
    fault = (_, res) => res.writeHead(503).end();
    const token = await mint();
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'issuer_unavailable' });
    fault = undefined;
    now += 5_000;
    await expect(verifier.verify(token)).resolves.toBeDefined();
  });

  test.each<[string, RequestListener]>([
    ['hangs up', (_, res) => res.destroy()],
    ['fails', (_, res) => res.writeHead(500).end()],
    ['answers with no JSON', (_, res) => res.end('<html>')],
    [
      'names another issuer',
      (_, res) => res.end(JSON.stringify({ issuer: 'https://evil.test', jwks_uri: url })),
    ],
    ['redirects', (_, res) => res.writeHead(302, { location: `${url}/elsewhere` }).end()],
    ['answers without end', (_, res) => res.end('x'.repeat(2 * 1024 * 1024))],
    [
      'offers no key set',
      (req, res) =>
        res.end(
          JSON.stringify(req.url === '/jwks' ? { keys: 'none' } : { issuer: url, jwks_uri: `${url}/jwks` }),
        ),
    ],
  ])('of an issuer that %s are not believed', async (_, misbehave) => {
    fault = misbehave;
    await expect(verifier.verify(await mint())).rejects.toMatchObject({ code: 'issuer_unavailable' });
  });

  test('that are symmetric or of an unknown kind do not count, and do not spoil the others', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    keys.push({ ...(await newKey()), jwk: { kty: 'oct', k: 'c2VjcmV0', kid: 'oct' } });
    keys.push({ ...(await newKey()), jwk: { kty: 'XYZ', kid: 'xyz' } });
    keys.push({ ...(await newKey()), jwk: { ...rsa, kty: 'RSA', use: 'enc', kid: 'enc' } });
    await expect(verifier.verify(await mint())).resolves.toBeDefined();
    const token = mint({ header: { kid: 'xyz' } });
    await expect(verifier.verify(await token)).rejects.toMatchObject({ code: 'token_bad_signature' });
  });
});

test('an issuer with a certificate of its own is reached by its caBundle and not without', async () => {
  const authority = issueAuthority('test', { now, days: 1 });
  const secure = createSecureServer(issueServerLeaf(authority, ['127.0.0.1'], { now, days: 1 }), answer);
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  url = `https://127.0.0.1:${String((secure.address() as AddressInfo).port)}`;
  try {
    const token = await mint();
    await expect(verifierOf({ caBundle: authority.cert }).verify(token)).resolves.toBeDefined();
    await expect(verifierOf().verify(token)).rejects.toMatchObject({ code: 'issuer_unavailable' });
  } finally {
    secure.closeAllConnections();
    secure.close();
  }
});

test('the claimed issuer is read without believing it', async () => {
  expect(claimedIssuer(await mint())).toBe(url);
  expect(claimedIssuer('x.y.z')).toBeUndefined();
  expect(claimedIssuer('x'.repeat(20_000))).toBeUndefined();
});
