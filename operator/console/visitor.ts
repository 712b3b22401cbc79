/** Who somebody who signed in is to each gateway: its provider of the same issuer says which claims count. */
import type { Bundle } from '../../crds/bundle.ts';
import { OidcError, readClaims, type VerifiedToken } from '../../lib/oidc.ts';
import type { Visitor } from '../admin/people.ts';
import { Problem } from '../problem.ts';

export function visitorOf(
  verified: Pick<VerifiedToken, 'issuer' | 'claims'>,
  board: { bundle(gateway: string): Bundle | undefined },
): Visitor {
  return {
    at: (gateway) => {
      const provider = board
        .bundle(gateway)
        ?.identity.filter((entry) => entry.kind === 'oidc')
        .find(({ issuer }) => issuer === verified.issuer);
      if (provider === undefined) {
        throw new Problem('unauthenticated', `The gateway ${gateway} does not trust ${verified.issuer}.`);
      }
      try {
        const { issuer, subject, username, groups } = readClaims(verified.claims, provider);
        return { issuer, subject, username, groups: [...groups] };
      } catch (error) {
        if (error instanceof OidcError) throw new Problem('unauthenticated', error.message, { cause: error });
        throw error;
      }
    },
  };
}
