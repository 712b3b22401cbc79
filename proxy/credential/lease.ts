import type { Secret } from '../../lib/secret.ts';

/** Values of a credential that may be used now. */
export interface Lease {
  readonly fields: ReadonlyMap<string, Secret>;
  /** Milliseconds since the epoch; undefined for what does not end. */
  readonly expiresAt: number | undefined;
}
