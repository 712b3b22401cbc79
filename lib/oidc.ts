/**
 * Verifies OIDC bearer tokens (RFC 7519, RFC 9068). The proxy uses it for callers, the operator for approvers, so
 * that both believe the same tokens.
 */
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type CryptoKey,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose';
import type { GatehouseError } from './errors.ts';
import { createIssuerKeys, localKeys, type IssuerDeps, type IssuerKeys, type KeyHint } from './oidc-keys.ts';
import { readClaims, type OidcProvider, type VerifiedToken } from './oidc-claims.ts';
import { OidcError } from './oidc-error.ts';

export { readClaims } from './oidc-claims.ts';
export { OidcError } from './oidc-error.ts';
export type { OidcProvider, VerifiedToken } from './oidc-claims.ts';
export type { IssuerDeps } from './oidc-keys.ts';

export interface OidcVerifier {
  readonly provider: OidcProvider;
  /** Throws OidcError for every token that is not proven to be good. */
  verify(token: string): Promise<VerifiedToken>;
  /** Closes connections to the issuer. */
  close(): Promise<void>;
}

const MAX_TOKEN_BYTES = 16 * 1024;
const CLOCK_TOLERANCE_S = 30;
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']);
/** Asymmetric only: with HS* the issuer's public key would do as the secret (RFC 8725, 2.1). */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** A verifier of one identity provider. Keys are fetched when the first token comes. */
export function createOidcVerifier(provider: OidcProvider, deps: IssuerDeps): OidcVerifier {
  return verifierWith(provider, createIssuerKeys(provider, deps), deps);
}

/** A verifier that asks nobody: the keys of the issuer are given. */
export function createLocalVerifier(
  provider: OidcProvider,
  jwks: JSONWebKeySet,
  deps: Pick<IssuerDeps, 'now'>,
): OidcVerifier {
  return verifierWith(provider, localKeys(jwks), deps);
}

function verifierWith(provider: OidcProvider, keys: IssuerKeys, deps: Pick<IssuerDeps, 'now'>): OidcVerifier {
  return {
    provider,
    verify: async (token) => {
      const hint = checkForm(token);
      checkIssuer(token, provider);
      const payload = await verifySignature(token, await keys.candidates(hint), { provider, now: deps.now });
      return readClaims(payload, provider);
    },
    close: () => keys.close(),
  };
}

/** The `iss` that a token claims, unverified: good for choosing a verifier and nothing else. */
export function claimedIssuer(token: string): string | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined;
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** Returns what helps to find the key; it is as unproven as the rest until the signature holds. */
function checkForm(token: string): KeyHint {
  if (Buffer.byteLength(token) > MAX_TOKEN_BYTES) {
    throw new OidcError('token_malformed', 'The token is larger than 16 KiB.');
  }
  const header = parsed(() => decodeProtectedHeader(token));
  if (header.alg === undefined || !ALGORITHMS.includes(header.alg)) {
    throw new OidcError('token_malformed', 'The token is not signed with an asymmetric algorithm.');
  }
  if (header.crit !== undefined) {
    throw new OidcError(
      'token_malformed',
      'The token demands header extensions (crit) that are not supported.',
    );
  }
  if (header.typ !== undefined && !TYPES.has(header.typ.toLowerCase())) {
    throw new OidcError('token_malformed', 'The token is of another type than JWT or at+jwt.');
  }
  return { alg: header.alg, ...(header.kid !== undefined && { kid: header.kid }) };
}

function checkIssuer(token: string, provider: OidcProvider): void {
  const { iss } = parsed(() => decodeJwt(token));
  if (iss !== provider.issuer) {
    throw new OidcError(
      'token_wrong_issuer',
      `The token was not issued by the identity provider "${provider.name}".`,
    );
  }
}

function parsed<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new OidcError('token_malformed', 'The token is not a signed JWT.', { cause });
  }
}

async function verifySignature(
  token: string,
  candidates: readonly CryptoKey[],
  context: { provider: OidcProvider; now: () => number },
): Promise<JWTPayload> {
  const { provider, now } = context;
  const options = {
    algorithms: ALGORITHMS,
    issuer: provider.issuer,
    audience: [...provider.audiences],
    requiredClaims: ['exp', 'sub'],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(now()),
  };
  let failure: unknown;
  for (const key of candidates) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw explain(error, provider);
      failure = error;
    }
  }
  throw new OidcError('token_bad_signature', 'The signature of the token does not verify.', {
    cause: failure,
  });
}

function explain(error: unknown, provider: OidcProvider): GatehouseError {
  if (error instanceof errors.JWTExpired) {
    return new OidcError('token_expired', 'The token has expired.', { cause: error });
  }
  if (error instanceof errors.JWTClaimValidationFailed) return explainClaim(error, provider);
  if (error instanceof errors.JOSEError) {
    return new OidcError('token_malformed', 'The token is not a signed JWT of a supported form.', {
      cause: error,
    });
  }
  return new OidcError('token_bad_signature', 'The signature of the token could not be checked.', {
    cause: error,
  });
}

function explainClaim(error: errors.JWTClaimValidationFailed, provider: OidcProvider): OidcError {
  const cause = { cause: error };
  if (error.claim === 'aud') {
    const wanted = provider.audiences.map((audience) => `"${audience}"`).join(' or ');
    return new OidcError('token_wrong_audience', `The token is not for ${wanted}.`, cause);
  }
  if (error.claim === 'nbf' && error.reason === 'check_failed') {
    return new OidcError('token_expired', 'The token is not valid yet.', cause);
  }
  return new OidcError(
    'token_malformed',
    `The claim "${error.claim}" of the token is missing or has the wrong form.`,
    cause,
  );
}
