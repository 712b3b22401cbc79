/** What the installation, not a manifest, says. */
import type { IdentityProvider, Limits, SealingKey, VaultAccess } from '#bundle';
import type { KnownTool } from '../../crds/gateway-tools.ts';

/** What no gateway may go below. */
export interface Floors {
  /** Gateways may let callers in without a token. */
  readonly allowAnonymous: boolean;
  /** Gateways may let calls through that cannot be recorded. */
  readonly allowUnrecorded: boolean;
  /** Most that a gateway may ask for; what is above is lowered, with a warning. */
  readonly most: Partial<Limits>;
}

/** Floors of an installation that says nothing. */
export const NO_FLOORS: Floors = { allowAnonymous: true, allowUnrecorded: true, most: {} };

/** Who signs the tokens of the cluster's service accounts, and by which keys they are verified. */
export interface ClusterIdentity {
  readonly issuer: string;
  readonly jwks: Extract<IdentityProvider, { kind: 'serviceAccount' }>['jwks'];
}

export interface Installation {
  /** Policies here may bind gateways of every namespace. */
  readonly namespace: string;
  /** Absolute; devFile credentials lie below it. */
  readonly baseDir: string;
  /** 32 bytes, base64. */
  readonly hashKey: string;
  /** Sealing keys of a gateway (`namespace/name`), the sealing one first; at least one. */
  readonly sealingKeys: (gateway: string) => readonly SealingKey[];
  readonly floors: Floors;
  /** What was seen of the tools of a gateway (`namespace/name`). */
  readonly knownTools: (gateway: string) => readonly KnownTool[];
  /** Absent where there is no cluster. */
  readonly cluster?: ClusterIdentity | undefined;
  /** Absent where the installation names no Vault. */
  readonly vault?: VaultAccess | undefined;
  /** Roots beside those of the system that vouch for whom proxies call, PEM. Absent where there are none. */
  readonly upstreamRoots?: string | undefined;
}

/** The namespace of a standalone installation. */
export const STANDALONE_NAMESPACE = 'gatehouse-system';
