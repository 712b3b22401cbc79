import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { messageOf, modernCall, post, rpc } from '../fixtures/hand-client.ts';
import { type Issuer, startIssuer } from '../fixtures/issuer.ts';
import { startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ spec: { server: { url: 'http://127.0.0.1:9/mcp' } } });
});
afterAll(() => world[Symbol.asyncDispose]());

const call = (token: string | undefined, headers = {}): Promise<Response> =>
  modernCall({ url: world.url, token }, 'tools/call', { name: 'any' }, { headers });

/** The server is away in this file, so 502 says that a call was let through. */
const LET_THROUGH = 502;

describe('without a valid token', () => {
  test('401, and where to get one', async () => {
    const response = await call(undefined);
    expect(response.status).toBe(401);
    const metadata = new URL('/.well-known/oauth-protected-resource/mcp', world.url).href;
    expect(response.headers.get('www-authenticate')).toBe(`Bearer resource_metadata="${metadata}"`);
    expect((await messageOf(response)).error?.message).toContain('Bearer token');
  });

  test.for(['GET', 'DELETE', 'POST'])('%s is refused before anything else is looked at', async (method) => {
    const body = method === 'POST' ? '{ no json' : null;
    expect((await fetch(world.url, { method, body })).status).toBe(401);
  });

  const wrong: readonly [string, () => Promise<string> | string][] = [
    ['for another audience', () => world.issuer.token({ sub: 'ana', aud: 'https://other.example/mcp' })],
    ['for nobody', () => world.issuer.token({ sub: 'ana' })],
    [
      'expired',
      () => world.issuer.token({ sub: 'ana', aud: world.url, exp: Math.floor(Date.now() / 1000) - 600 }),
    ],
    [
      'not valid yet',
      () => world.issuer.token({ sub: 'ana', aud: world.url, nbf: Math.floor(Date.now() / 1000) + 600 }),
    ],
    ['without a subject', () => world.issuer.token({ aud: world.url })],
    [
      'of another issuer',
      () => world.issuer.token({ sub: 'ana', aud: world.url, iss: 'https://evil.example' }),
    ],
    [
      'signed by nobody',
      () =>
        new UnsecuredJWT({ sub: 'ana', aud: world.url, iss: world.issuer.url })
          .setExpirationTime('1h')
          .encode(),
    ],
    ['signed with a secret', () => signedWith(new TextEncoder().encode('x'.repeat(32)), 'HS256')],
    ['signed by a stranger', async () => signedWith((await generateKeyPair('ES256')).privateKey, 'ES256')],
    ['changed', async () => changed(await world.issuer.token({ sub: 'ana', aud: world.url }))],
    ['no JWT', () => 'opaque'],
  ];
  test.for(wrong)('a token %s: 401 and invalid_token', async ([, make]) => {
    const token = await make();
    const response = await call(token);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await response.text()).not.toContain(token);
  });

  test('a token in the query: 400; another scheme, or two tokens in one: 401', async () => {
    const token = await world.issuer.token({ sub: 'ana', aud: world.url });
    const inQuery = await modernCall({ url: `${world.url}?access_token=${token}` }, 'tools/list');
    expect(inQuery.status).toBe(400);
    expect(inQuery.headers.get('www-authenticate')).toContain('error="invalid_request"');
    expect((await call(undefined, { authorization: 'Basic YTpi' })).status).toBe(401);
    expect((await call(undefined, { authorization: `Bearer ${token}, Bearer ${token}` })).status).toBe(401);
  });
});

test('a valid token is let through', async () => {
  expect((await call((await world.as('ana')).token)).status).toBe(LET_THROUGH);
});

test.for(['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource'])(
  'metadata is at %s, for everybody',
  async (path) => {
    const response = await fetch(new URL(path, world.url));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toMatchObject({
      resource: world.url,
      authorization_servers: [world.issuer.url],
      bearer_methods_supported: ['header'],
    });
    expect((await fetch(new URL(path, world.url), { method: 'POST' })).status).toBe(405);
  },
);

describe('an issuer that goes away', () => {
  let issuer: Issuer;
  let away: World;
  beforeAll(async () => {
    issuer = await startIssuer();
    away = await startWorld({ spec: { identity: [{ name: 'staff', oidc: { issuer: issuer.url } }] } });
  });
  afterEach(() => away.server.reset());
  afterAll(() => away[Symbol.asyncDispose]());

  test('its keys go on, and a key that nobody has seen is not believed', async () => {
    const token = (sub: string): Promise<string> => issuer.token({ sub, aud: away.url });
    const status = async (bearer: string): Promise<number> =>
      (await modernCall({ url: away.url, token: bearer }, 'tools/call', { name: 'any' })).status;
    expect(await status(await token('ana'))).toBe(200);
    await issuer[Symbol.asyncDispose]();
    expect(await status(await token('bo'))).toBe(200);
    await issuer.rotate();
    expect(await status(await token('cy'))).toBeGreaterThanOrEqual(401);
    expect(await status(await token('ana'))).toBeGreaterThanOrEqual(401);
    expect(away.server.heard).toHaveLength(2);
  });

  test('one that was never there: 503, and when to come back', async () => {
    await using never = await startWorld({
      spec: { identity: [{ name: 'staff', oidc: { issuer: 'http://127.0.0.1:9' } }] },
    });
    const token = await world.issuer.token({ iss: 'http://127.0.0.1:9', sub: 'ana', aud: never.url });
    const response = await post({ url: never.url, token }, rpc('initialize', {}, 1));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  });
});

async function signedWith(key: Parameters<SignJWT['sign']>[0], alg: string): Promise<string> {
  return new SignJWT({ sub: 'ana', aud: world.url, iss: world.issuer.url })
    .setProtectedHeader({ alg })
    .setExpirationTime('1h')
    .sign(key);
}

/** The same signature over another subject. */
function changed(token: string): string {
  const [head = '', body = '', signature = ''] = token.split('.');
  const claims = Buffer.from(body, 'base64url').toString().replace('"ana"', '"bob"');
  return [head, Buffer.from(claims).toString('base64url'), signature].join('.');
}
