import type { Bundle } from '../../crds/bundle.ts';
import type { Caller } from '../../proxy/exchange.ts';
import type { Identity } from './files.ts';

/** Where a gateway has no provider that could have verified anybody. */
const NO_PROVIDER = { name: 'identity', issuer: '', usernameClaim: 'sub' };

/** The caller that an identity file describes, as if a provider of the gateway had verified it. */
export function callerOf(identity: Identity, bundle: Bundle): Caller {
  const provider = bundle.identity.find((candidate) => candidate.kind === 'oidc') ?? NO_PROVIDER;
  const subject = identity.subject ?? subjectOfAccount(identity.serviceAccount);
  return {
    provider: identity.provider ?? provider.name,
    issuer: identity.issuer ?? provider.issuer,
    subject,
    username: identity.username ?? claimedName(identity, provider.usernameClaim) ?? subject,
    clientId: identity.clientId,
    groups: identity.groups,
    serviceAccount: identity.serviceAccount,
    spiffeId: identity.spiffeId,
    claims: identity.claims,
    anonymous: false,
  };
}

/** As Kubernetes writes it into the tokens of service accounts. */
function subjectOfAccount(account = ''): string {
  return `system:serviceaccount:${account.replace('/', ':')}`;
}

function claimedName(identity: Identity, claim: string): string | undefined {
  const name = identity.claims[claim];
  return typeof name === 'string' ? name : undefined;
}
