/**
 * The company's OpenID Connect provider (npm oidc-provider), with sign-in pages, for tokens of one resource and for
 * the console.
 *
 *   provider.ts PORT RESOURCE CONSOLE
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';
import { CLIENT_ID, CONSOLE_CLIENT_ID, groupsOf, REDIRECT_URL } from './people.ts';

const [port = '0', resource = '', consoleUrl = ''] = process.argv.slice(2);
const ALG = 'ES256';
const HOUR_SECONDS = 3600;
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = await generateKeyPair(ALG, { extractable: true });

const provider = new Provider(issuer, {
  clients: [publicClient(CLIENT_ID, REDIRECT_URL), publicClient(CONSOLE_CLIENT_ID, `${consoleUrl}/callback`)],
  cookies: { keys: [randomBytes(24).toString('base64url')] },
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: ALG, use: 'sig', kid: 'demo' }] },
  ttl: { AccessToken: HOUR_SECONDS, Grant: HOUR_SECONDS, Interaction: HOUR_SECONDS, Session: HOUR_SECONDS },
  features: {
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, wanted) => {
        if (wanted !== resource) throw new errors.InvalidTarget();
        return { scope: '', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: ALG } } };
      },
    },
  },
  claims: { openid: ['sub', 'groups'] },
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, groups: groupsOf[id] ?? [] }) }),
  extraTokenClaims: (_ctx, token) => ({ groups: groupsOf[token.accountId ?? ''] ?? [] }),
});

/** A client without a secret, which PKCE proves. */
function publicClient(id: string, redirectUri: string): Record<string, unknown> {
  return {
    client_id: id,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: ALG,
    redirect_uris: [redirectUri],
  };
}

createServer(provider.callback()).listen(Number(port), '127.0.0.1', () => console.log(`issuer ${issuer}`));
process.once('SIGTERM', () => process.exit(0));
