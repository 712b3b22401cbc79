/** What those who need a credential ask for it, and what lending needs. */
import type { LookupFunction } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Whose } from '../session/whose-call.ts';
import type { FileAccess } from './dev-file.ts';
import type { Lease } from './lease.ts';
import type { KnownValues } from './vault/own-secrets.ts';

export interface Lender {
  /** What `credential` is for this work now; minted when nobody holds it yet. Throws CredentialError. */
  lend(credential: string, whose: Whose): Promise<Lease>;
  /** The upstream refused it: it was revoked under us. Mints again once; throws when that was done just now. */
  replace(credential: string, whose: Whose, refused: Lease): Promise<Lease>;
  /** Gives back what was lent to one exchange. */
  endRequest(session: string, request: string): void;
  /** Gives back what was lent to a session. */
  endSession(session: string): void;
  /** Gives everything back, bounded in time. */
  close(): Promise<void>;
}

export interface LeaseMetrics {
  leases(gateway: string, held: number): void;
  minted(gateway: string, outcome: 'ok' | 'failed' | 'refused'): void;
  renewed(gateway: string, outcome: 'ok' | 'failed'): void;
  revoked(gateway: string, outcome: 'ok' | 'failed'): void;
}

export interface LenderDeps {
  /** namespace/name. */
  readonly gateway: string;
  readonly files: FileAccess;
  readonly clock: Clock;
  /** [0, 1) */
  readonly random: () => number;
  /** Where values are told before their first use, so that they are masked from then on. */
  readonly known: KnownValues;
  readonly metrics: LeaseMetrics;
  readonly log: Logger;
  /** File of the ids of leases that are held; it outlives the process. */
  readonly journalFile: string;
  /** Where the name of Vault lies; without it, where this machine says. */
  readonly lookup?: LookupFunction | undefined;
  /** Time-outs towards Vault, other than the usual. */
  readonly patience?: { readonly answerMs?: number; readonly patienceMs?: number };
}
