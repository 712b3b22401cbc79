/** Who a person is: their token, believed by the identity providers of the gateway they speak about. */
import { gatewayName, type Bundle, type IdentityProvider } from '../../crds/bundle.ts';
import {
  claimedIssuer,
  createOidcVerifier,
  OidcError,
  type IssuerDeps,
  type OidcVerifier,
  type VerifiedToken,
} from '../../lib/oidc.ts';
import type { Person } from '../approve/object.ts';
import { Problem } from '../problem.ts';
import type { BundleBoard } from '../publish/bundle-board.ts';

type OidcIdentity = Extract<IdentityProvider, { kind: 'oidc' }>;

/** What a token proves, gateway by gateway: providers differ, and so may the name they read from it. */
export interface Visitor {
  /** The person as this gateway knows them; throws a Problem when it does not believe the token. */
  at(gateway: string): Person;
}

export interface People {
  /** Throws a Problem when no gateway believes the token. */
  visitor(token: string): Promise<Visitor>;
  close(): Promise<void>;
}

export function createPeople(board: BundleBoard, deps: IssuerDeps): People {
  // Verifiers outlive bundles, so that an edit does not throw away keys; a changed provider gets its own.
  const verifiers = new Map<string, OidcVerifier>();
  const verifierFor = (provider: OidcIdentity): OidcVerifier => {
    const key = JSON.stringify(provider);
    const verifier = verifiers.get(key) ?? createOidcVerifier(provider, deps);
    verifiers.set(key, verifier);
    return verifier;
  };
  board.subscribe(() => forgetUnused(verifiers, board.current() ?? []));

  return {
    visitor: async (token) => {
      const issuer = claimedIssuer(token);
      const findings = new Map<string, Person | OidcError>();
      for (const bundle of board.current() ?? []) {
        const providers = oidcOf(bundle).filter((provider) => provider.issuer === issuer);
        findings.set(gatewayName(bundle.gateway), await believed(token, providers.map(verifierFor)));
      }
      return visitorOf(findings);
    },
    close: async () => {
      await Promise.all([...verifiers.values()].map((verifier) => verifier.close()));
    },
  };
}

function visitorOf(findings: ReadonlyMap<string, Person | OidcError>): Visitor {
  const all = [...findings.values()];
  if (!all.some((finding) => !(finding instanceof OidcError))) throw refusalOf(mostTelling(all));
  return {
    at: (gateway) => {
      const finding = findings.get(gateway) ?? notTrusted();
      if (finding instanceof OidcError) throw refusalOf(finding);
      return finding;
    },
  };
}

/** The person by the first verifier that believes the token, else why the last one does not. */
async function believed(token: string, verifiers: readonly OidcVerifier[]): Promise<Person | OidcError> {
  let failure = notTrusted();
  for (const verifier of verifiers) {
    try {
      return personOf(await verifier.verify(token));
    } catch (error) {
      if (!(error instanceof OidcError)) throw error;
      failure = error;
    }
  }
  return failure;
}

function personOf({ issuer, subject, username, groups }: VerifiedToken): Person {
  return { issuer, subject, username, groups: [...groups] };
}

function notTrusted(): OidcError {
  return new OidcError('token_wrong_issuer', 'The token is not a JWT of an issuer that the gateway trusts.');
}

/** A gateway that knows the issuer says more than one that does not. */
function mostTelling(failures: readonly (Person | OidcError)[]): OidcError {
  const errors = failures.filter((failure) => failure instanceof OidcError);
  return errors.find(({ code }) => code !== 'token_wrong_issuer') ?? errors[0] ?? notTrusted();
}

function refusalOf(error: OidcError): Problem {
  const code = error.code === 'issuer_unavailable' ? 'unavailable' : 'unauthenticated';
  return new Problem(code, error.message, { cause: error });
}

function oidcOf(bundle: Bundle): OidcIdentity[] {
  return bundle.identity.filter((provider) => provider.kind === 'oidc');
}

function forgetUnused(verifiers: Map<string, OidcVerifier>, bundles: readonly Bundle[]): void {
  const used = new Set(bundles.flatMap(oidcOf).map((provider) => JSON.stringify(provider)));
  for (const [key, verifier] of verifiers) {
    if (used.has(key)) continue;
    verifiers.delete(key);
    void verifier.close();
  }
}
