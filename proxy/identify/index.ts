/** Stage 2: proof of identity → verified caller. Nothing else in a request says who is calling. */
import { claimedIssuer, OidcError, type OidcVerifier, type VerifiedToken } from '../../lib/oidc.ts';
import type { IdentityProvider } from '../../crds/bundle.ts';
import type { Caller } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { bearerToken, type Presented } from './bearer.ts';
import { challenge, type Challenge } from './challenge.ts';
import { metadataUrl } from './metadata.ts';
import { serviceAccountOf } from './service-account.ts';
import { createVerifiedCache } from './verified-cache.ts';

export type { Presented } from './bearer.ts';
export { createServiceAccountVerifier } from './service-account.ts';
export {
  protectedResourceMetadata,
  wellKnownPaths,
  metadataUrl,
  type ProtectedResourceMetadata,
} from './metadata.ts';

/** A provider whose tokens are JWTs of one issuer. */
export type TokenProvider = Extract<IdentityProvider, { kind: 'oidc' | 'serviceAccount' }>;

export interface IdentifyDeps {
  /** The verifier of a provider; it may outlive a bundle, so that its keys need not be fetched again. */
  readonly verifierFor: (provider: TokenProvider) => Pick<OidcVerifier, 'verify'>;
  readonly now: () => number;
  /** The URL that tokens are for: `publicUrl`, or where the gateway listens. */
  readonly resource: string;
}

/** Says who sent a request, or throws a Refusal. */
export type Identify = (presented: Presented) => Promise<Caller>;

const CACHED_TOKENS = 4096;

/** The identification of one gateway. What was verified is remembered for a minute and goes with the bundle. */
export function createIdentify(providers: readonly IdentityProvider[], deps: IdentifyDeps): Identify {
  const about: Challenge = { metadataUrl: metadataUrl(deps.resource) };
  const trusted = providers.flatMap((provider) =>
    provider.kind === 'anonymous' ? [] : [{ provider, verifier: deps.verifierFor(provider) }],
  );
  const anonymous = providers.find((provider) => provider.kind === 'anonymous');
  const verified = createVerifiedCache(CACHED_TOKENS, deps.now);

  return async (presented) => {
    const token = bearerToken(presented, about);
    if (token === undefined) return anonymousCaller(anonymous, about);
    const known = verified.get(token);
    if (known !== undefined) return known;
    try {
      const { provider, proof } = await verify(token, trusted);
      const caller = callerOf(provider, proof);
      verified.set(token, caller, proof.expiresAt);
      return caller;
    } catch (error) {
      throw error instanceof OidcError ? refusalOf(error, about) : error;
    }
  };
}

interface Trusted {
  readonly provider: TokenProvider;
  readonly verifier: Pick<OidcVerifier, 'verify'>;
}

/** Several providers may trust one issuer for different audiences; the first whose audience fits it is. */
async function verify(
  token: string,
  trusted: readonly Trusted[],
): Promise<{ provider: TokenProvider; proof: VerifiedToken }> {
  const issuer = claimedIssuer(token);
  let failure = new OidcError(
    'token_wrong_issuer',
    'The token is not a JWT of an issuer that this gateway trusts.',
  );
  for (const { provider, verifier } of trusted.filter((entry) => entry.provider.issuer === issuer)) {
    try {
      return { provider, proof: await verifier.verify(token) };
    } catch (error) {
      if (!(error instanceof OidcError) || error.code !== 'token_wrong_audience') throw error;
      failure = error;
    }
  }
  throw failure;
}

function callerOf(provider: TokenProvider, proof: VerifiedToken): Caller {
  // Any issuer can write a subject that looks like a service account's; only the cluster's own proves one.
  const account = provider.kind === 'serviceAccount' ? serviceAccountOf(proof.subject) : undefined;
  return {
    provider: provider.name,
    issuer: proof.issuer,
    subject: proof.subject,
    username: proof.username,
    clientId: proof.clientId,
    groups: account === undefined ? proof.groups : account.groups,
    serviceAccount: account?.name,
    spiffeId: undefined,
    claims: proof.claims,
    anonymous: false,
  };
}

function anonymousCaller(provider: IdentityProvider | undefined, about: Challenge): Caller {
  if (provider === undefined) {
    throw new Refusal('unauthenticated', 'This gateway needs a Bearer token in the Authorization header.', {
      status: 401,
      as: 4401,
      headers: challenge(about),
    });
  }
  return {
    provider: provider.name,
    issuer: '',
    subject: 'anonymous',
    username: 'anonymous',
    clientId: undefined,
    groups: [],
    serviceAccount: undefined,
    spiffeId: undefined,
    claims: {},
    anonymous: true,
  };
}

function refusalOf(error: OidcError, about: Challenge): Refusal {
  if (error.code === 'issuer_unavailable') {
    return new Refusal(
      'identity_unavailable',
      'The token could not be checked because the keys of its issuer could not be fetched; try again.',
      { status: 503, as: 4503, headers: { 'Retry-After': '5' }, cause: error },
    );
  }
  return new Refusal('unauthenticated', error.message, {
    status: 401,
    as: 4401,
    headers: challenge(about, { error: 'invalid_token', description: error.message }),
    cause: error,
  });
}
