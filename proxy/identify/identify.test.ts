import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { IdentityProvider } from '../../crds/bundle.ts';
import { createOidcVerifier, OidcError } from '../../lib/oidc.ts';
import type { Caller } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import {
  createIdentify,
  metadataUrl,
  protectedResourceMetadata,
  wellKnownPaths,
  type Identify,
} from './index.ts';

const ISSUER = 'https://issuer.example';
const RESOURCE = 'https://orders.example/mcp';
const START = Date.parse('2030-01-01T00:00:00Z');

const staff: IdentityProvider = {
  kind: 'oidc',
  name: 'staff',
  issuer: ISSUER,
  audiences: [RESOURCE],
  usernameClaim: 'preferred_username',
  groupsClaim: 'groups',
};
const anonymous: IdentityProvider = { kind: 'anonymous', name: 'anyone' };

const { privateKey, publicKey } = await generateKeyPair('ES256');
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };

function token(claims: Record<string, unknown> = {}, expiresIn = 300): Promise<string> {
  return new SignJWT({ preferred_username: 'alice', groups: ['support'], client_id: 'editor', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setIssuer(typeof claims['iss'] === 'string' ? claims['iss'] : ISSUER)
    .setAudience(typeof claims['aud'] === 'string' ? claims['aud'] : RESOURCE)
    .setSubject('u-1')
    .setIssuedAt(START / 1000)
    .setExpirationTime(START / 1000 + expiresIn)
    .sign(privateKey);
}

interface World {
  readonly identify: Identify;
  readonly verifications: string[];
  now: number;
  issuerIsAway: boolean;
}

/** Real verifiers over an issuer that answers from memory. */
function world(providers: readonly IdentityProvider[]): World {
  const verifications: string[] = [];
  const state = { now: START, issuerIsAway: false };
  const now = (): number => state.now;
  const answer = (url: string): Response =>
    url.endsWith('/openid-configuration')
      ? Response.json({ issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
      : Response.json(jwks);
  const identify = createIdentify(providers, {
    resource: RESOURCE,
    now,
    verifierFor: (provider) => {
      if (provider.kind !== 'oidc') throw new Error('The providers of this world are OIDC.');
      const verifier = createOidcVerifier(provider, {
        now,
        fetch: (url) => {
          if (state.issuerIsAway) return Promise.reject(new Error('connection refused'));
          return Promise.resolve(answer(url));
        },
      });
      return {
        verify: (proof) => {
          verifications.push(provider.name);
          return verifier.verify(proof);
        },
      };
    },
  });
  return Object.assign(state, { identify, verifications });
}

const bearer = (value: string) => ({ headersDistinct: { authorization: [`Bearer ${value}`] }, url: '/mcp' });

async function refused(attempt: Promise<Caller>): Promise<Refusal> {
  const error: unknown = await attempt.catch((reason: unknown) => reason);
  if (!(error instanceof Refusal)) throw new Error('The request was not refused.');
  return error;
}

describe('createIdentify', () => {
  it('says who a good token speaks for', async () => {
    const { identify } = world([staff]);
    expect(await identify(bearer(await token()))).toMatchObject({
      provider: 'staff',
      issuer: ISSUER,
      subject: 'u-1',
      username: 'alice',
      clientId: 'editor',
      groups: ['support'],
      serviceAccount: undefined,
      anonymous: false,
    });
  });

  it('takes no service account from the subject of any issuer', async () => {
    const { identify } = world([staff]);
    const proof = await token({ preferred_username: 'system:serviceaccount:agents:triage' });
    expect((await identify(bearer(proof))).serviceAccount).toBeUndefined();
  });

  it('asks for a token, and names no error where none was sent', async () => {
    const refusal = await refused(world([staff]).identify({ headersDistinct: {} }));
    expect(refusal).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(refusal.headers).toEqual({
      'WWW-Authenticate':
        'Bearer resource_metadata="https://orders.example/.well-known/oauth-protected-resource/mcp"',
    });
  });

  it.each([
    ['expired', () => token({}, -60), /expired/],
    ['for somebody else', () => token({ aud: 'https://other.example' }), /not for/],
    ['of another issuer', () => token({ iss: 'https://evil.example' }), /issuer that this gateway trusts/],
    ['changed', async () => `${(await token()).slice(0, -4)}AAAA`, /signature/],
    ['opaque', () => Promise.resolve('opaque-token'), /issuer that this gateway trusts/],
  ])('refuses a token that is %s, although anonymous callers are welcome', async (_, make, sentence) => {
    const refusal = await refused(world([staff, anonymous]).identify(bearer(await make())));
    expect(refusal).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(refusal.message).toMatch(sentence);
    expect(refusal.headers['WWW-Authenticate']).toMatch(
      /^Bearer resource_metadata="[^"]+", error="invalid_token", error_description="[^"\\]+"$/,
    );
  });

  it('takes a request without a token for anonymous only where the gateway says so', async () => {
    const { identify } = world([staff, anonymous]);
    expect(await identify({ headersDistinct: {}, url: '/mcp' })).toMatchObject({
      provider: 'anyone',
      anonymous: true,
      groups: [],
    });
    for (const value of ['', 'Basic dXNlcjpwYXNz', 'Bearer', 'Bearer a b', 'Bearer a,b']) {
      const refusal = await refused(identify({ headersDistinct: { authorization: [value] } }));
      expect(refusal).toMatchObject({ code: 'unauthenticated', status: 401 });
      expect(refusal.headers['WWW-Authenticate']).not.toContain('error=');
    }
  });

  it('refuses a token in the query, even beside a good one', async () => {
    const proof = await token();
    for (const name of ['access_token', 'ACCESS_TOKEN', '%61ccess_token']) {
      const request = { ...bearer(proof), url: `/mcp?a=b&${name}=${proof}` };
      const refusal = await refused(world([staff, anonymous]).identify(request));
      expect(refusal).toMatchObject({ code: 'bad_request', status: 400 });
      expect(refusal.message).not.toContain(proof);
    }
  });

  it('refuses two Authorization headers', async () => {
    const value = `Bearer ${await token()}`;
    const refusal = await refused(
      world([staff]).identify({ headersDistinct: { authorization: [value, value] } }),
    );
    expect(refusal).toMatchObject({ code: 'bad_request', status: 400 });
  });

  it('chooses among providers of one issuer by audience', async () => {
    const agents: IdentityProvider = { ...staff, name: 'agents', audiences: ['https://agents.example'] };
    const { identify } = world([agents, staff]);
    expect(await identify(bearer(await token()))).toMatchObject({ provider: 'staff' });
    expect(await identify(bearer(await token({ aud: 'https://agents.example' })))).toMatchObject({
      provider: 'agents',
    });
  });

  it('verifies a token once a minute, and never believes it beyond its end', async () => {
    const setup = world([staff]);
    const proof = await token({}, 90);
    await setup.identify(bearer(proof));
    await setup.identify(bearer(proof));
    expect(setup.verifications).toHaveLength(1);
    setup.now += 60_000;
    await setup.identify(bearer(proof));
    expect(setup.verifications).toHaveLength(2);
    setup.now += 61_000;
    expect((await refused(setup.identify(bearer(proof)))).message).toMatch(/expired/);
  });

  it('refuses while the keys of an issuer cannot be had', async () => {
    const setup = world([staff, anonymous]);
    setup.issuerIsAway = true;
    const refusal = await refused(setup.identify(bearer(await token())));
    expect(refusal).toMatchObject({ code: 'identity_unavailable', status: 503 });
    expect(refusal.headers).not.toHaveProperty('WWW-Authenticate');
  });

  it('lets errors that are no verdict on the token through', async () => {
    const broken = createIdentify([staff], {
      resource: RESOURCE,
      now: () => START,
      verifierFor: () => ({ verify: () => Promise.reject(new TypeError('a bug')) }),
    });
    await expect(broken(bearer(await token()))).rejects.toThrow(TypeError);
  });

  it('writes no quote into error_description', async () => {
    const identify = createIdentify([staff], {
      resource: RESOURCE,
      now: () => START,
      verifierFor: () => ({
        verify: () => Promise.reject(new OidcError('token_wrong_audience', 'Not for "a\\b" – é.')),
      }),
    });
    const refusal = await refused(identify(bearer(await token())));
    expect(refusal.headers['WWW-Authenticate']).toContain(`error_description="Not for 'a'b' ? ?."`);
  });
});

describe('protected resource metadata', () => {
  it('names the resource and the issuers', () => {
    const gateway = { namespace: 'tools', name: 'orders' };
    const identity = [staff, { ...staff, name: 'agents' }, anonymous];
    expect(protectedResourceMetadata({ gateway, identity }, `${RESOURCE}#part`)).toEqual({
      resource: RESOURCE,
      resource_name: 'orders',
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
    });
  });

  it('lies where RFC 9728 looks for it', () => {
    expect(wellKnownPaths('/tools/orders')).toEqual([
      '/.well-known/oauth-protected-resource/tools/orders',
      '/.well-known/oauth-protected-resource',
    ]);
    expect(wellKnownPaths('/')).toEqual(['/.well-known/oauth-protected-resource']);
    expect(metadataUrl('http://127.0.0.1:8400/')).toBe(
      'http://127.0.0.1:8400/.well-known/oauth-protected-resource',
    );
  });
});
