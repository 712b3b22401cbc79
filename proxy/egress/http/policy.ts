/** Where a gateway's server may go, and how. Pure. */
import { isIP } from 'node:net';
import { coveredBy, formatDestination, type Destination } from '../destination.ts';
import type { Endpoint } from '../resolve.ts';
import type { CompiledCredential } from './credential.ts';

/**
 * `open`: TLS ends here, because credentials go in. `tunnel`: bytes pass untouched. The reason of `refuse` is a sentence.
 */
export type Route =
  | { readonly kind: 'open'; readonly credentials: readonly CompiledCredential[] }
  | { readonly kind: 'tunnel' }
  | { readonly kind: 'refuse'; readonly reason: string };

export interface Policy {
  route(destination: Destination): Route;
  /** Whether the gateway names this very address. */
  named(endpoint: Endpoint): boolean;
}

export interface PolicySpec {
  /** namespace/name. */
  readonly gateway: string;
  readonly default: 'Deny' | 'Allow';
  readonly allow: readonly Destination[];
  readonly credentials: readonly CompiledCredential[];
}

export function compilePolicy(spec: PolicySpec): Policy {
  const allowed = coveredBy(spec.allow);
  const addresses = coveredBy(spec.allow.filter(({ host }) => isIP(host) !== 0));
  return {
    route: (destination) => {
      const credentials = spec.credentials.filter(({ covers }) => covers(destination));
      if (credentials.length > 0) return { kind: 'open', credentials };
      if (spec.default === 'Allow' || allowed(destination)) return { kind: 'tunnel' };
      return {
        kind: 'refuse',
        reason: `McpGateway ${spec.gateway} does not allow its server to call ${formatDestination(destination)}; add it to spec.egress.allow if it should.`,
      };
    },
    named: ({ address, port }) => addresses({ host: address, port }),
  };
}
