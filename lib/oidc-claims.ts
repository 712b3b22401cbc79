/** What the claims of a verified token say of its bearer. */
import type { JWTPayload } from 'jose';
import { OidcError } from './oidc-error.ts';

export interface OidcProvider {
  /** Name of the identity provider in its gateway. */
  readonly name: string;
  readonly issuer: string;
  /** A token is for us when its `aud` holds one of these. */
  readonly audiences: readonly string[];
  readonly usernameClaim: string;
  readonly groupsClaim: string;
  /** PEM; trusted instead of the system's roots when the issuer is asked. */
  readonly caBundle?: string | undefined;
}

/** What a token proved. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly subject: string;
  readonly username: string;
  /** `azp`, else `client_id`. */
  readonly clientId: string | undefined;
  readonly groups: readonly string[];
  readonly claims: Readonly<JWTPayload>;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Reads a payload whose signature, issuer, audience and times were checked. Throws OidcError. */
export function readClaims(payload: JWTPayload, provider: OidcProvider): VerifiedToken {
  return {
    issuer: provider.issuer,
    subject: required(payload, 'sub'),
    username: required(payload, provider.usernameClaim),
    clientId: text(payload['azp']) ?? text(payload['client_id']),
    groups: strings(payload[provider.groupsClaim]),
    claims: payload,
    expiresAt: (payload.exp ?? 0) * 1000,
  };
}

function required(payload: JWTPayload, claim: string): string {
  const value = text(payload[claim]);
  if (value === undefined) {
    throw new OidcError('token_malformed', `The token has no text in the claim "${claim}".`);
  }
  return value;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Some issuers write a single group as plain text. */
function strings(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((entry) => typeof entry === 'string' && entry !== '').map(String);
}
