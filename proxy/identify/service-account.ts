/** Tokens of Kubernetes service accounts: signed by the cluster's API server, verified with its keys in the bundle. */
import type { IdentityProvider } from '../../crds/bundle.ts';
import { createLocalVerifier, OidcError, type OidcVerifier } from '../../lib/oidc.ts';

type ServiceAccountProvider = Extract<IdentityProvider, { kind: 'serviceAccount' }>;

/** Service accounts have no claim with groups; Kubernetes derives them from the subject, and so do we. */
const NO_GROUPS_CLAIM = '';

export function createServiceAccountVerifier(
  provider: ServiceAccountProvider,
  now: () => number,
): OidcVerifier {
  const { name, issuer, audiences, jwks } = provider;
  return createLocalVerifier(
    { name, issuer, audiences, usernameClaim: 'sub', groupsClaim: NO_GROUPS_CLAIM },
    jwks,
    { now },
  );
}

export interface ServiceAccount {
  /** namespace/name. */
  readonly name: string;
  readonly groups: readonly string[];
}

/** The service account that a verified subject names; throws OidcError for a subject that names none. */
export function serviceAccountOf(subject: string): ServiceAccount {
  const [, namespace, name] =
    /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/.exec(subject) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new OidcError('token_malformed', 'The token of the cluster does not speak for a service account.');
  }
  return {
    name: `${namespace}/${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}
