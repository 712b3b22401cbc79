/** What the Postgres egress is given by who assembles a gateway. */
import type { MaskPolicy } from '../../../crds/bundle.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Masker } from '../../engine/mask/index.ts';
import type { ReadEffects } from '../../engine/sql/postgres/session-effects.ts';
import type { CallInFlight, Hint, Owner, WhenShared, Whose } from '../../session/whose-call.ts';
import type { Known } from './rows/long-row.ts';
import type { Dial, Upstream } from './upstream/connect.ts';
import type { LeasedLogin } from './upstream/session.ts';

/** A session that has ended, or one request of it. */
export interface EndedWork {
  readonly session: string;
  readonly request?: string;
}

/** One credential that is put into connections to a database. */
export interface PostgresTarget {
  readonly credential: string;
  readonly scope: 'Request' | 'Session' | 'Pod';
  readonly whenShared: WhenShared;
  readonly listen: number;
  readonly upstream: Upstream;
}

/** What was said to a database and what came of it; nothing in it has been masked. */
export interface StatementEvent {
  readonly protocol: 'postgres';
  /** host:port. */
  readonly destination: string;
  readonly what: string;
  readonly decision: 'allow' | 'deny';
  readonly reason: string | undefined;
  readonly credential: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly owner: Owner | undefined;
}

/** What a change of policy changes. */
export interface PostgresPolicy {
  readonly masker: Masker;
  readonly policies: readonly MaskPolicy[];
  /** Whether a rule looks at statements at all. */
  readonly judges: boolean;
  /** Why a statement of this call may not reach the database; undefined where it may. */
  readonly judge: (sql: string, call: CallInFlight | undefined) => string | undefined;
}

export interface PostgresDeps<L extends LeasedLogin> {
  readonly known: Known;
  /** Of now: the same object for as long as it is the same policy. Throws WireError where there is none yet. */
  readonly policy: () => PostgresPolicy;
  readonly readEffects: ReadEffects;
  /** Throws a GatehouseError with a sentence where it is not certain. */
  readonly ownerOf: (hint: Hint, whenShared: WhenShared) => Owner;
  readonly lend: (credential: string, whose: Whose) => Promise<L>;
  readonly replace: (credential: string, whose: Whose, refused: L) => Promise<L>;
  /** Throws a GatehouseError where nothing may happen that is not recorded. */
  readonly record: (event: StatementEvent) => void;
  readonly dial: Dial;
  readonly now: () => number;
  readonly log: Logger;
}
