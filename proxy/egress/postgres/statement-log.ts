/** What was said to a database, for the record: each statement once, when its outcome is known. */
import type { Masker } from '../../engine/mask/index.ts';
import type { Owner } from '../../session/whose-call.ts';
import type { PostgresTarget, StatementEvent } from './deps.ts';
import type { Refused } from './judging.ts';
import type { Running } from './requests.ts';

export interface StatementLogDeps {
  readonly target: PostgresTarget;
  readonly masker: () => Masker;
  readonly record: (event: StatementEvent) => void;
  readonly now: () => number;
  readonly owner: () => Owner | undefined;
}

/** Characters of a statement that are kept. */
const MAX_KEPT = 4_000;

export class StatementLog {
  readonly #deps: StatementLogDeps;

  constructor(deps: StatementLogDeps) {
    this.#deps = deps;
  }

  running(sql: string): Running {
    return { sql, startedAt: this.#deps.now() };
  }

  /** `sqlstate`: of the error that it ended with. */
  ended(running: Running, sqlstate: string | undefined): void {
    const reason = sqlstate === undefined ? undefined : `The database answered with error ${sqlstate}.`;
    this.#record(running, 'allow', reason);
  }

  refused({ sql, reason }: Refused): void {
    this.#record(this.running(sql), 'deny', reason);
  }

  #record({ sql, startedAt }: Running, decision: 'allow' | 'deny', reason: string | undefined): void {
    const { target, record, owner } = this.#deps;
    const { host, port } = target.upstream;
    record({
      protocol: 'postgres',
      destination: `${host}:${port}`,
      what: this.#shortened(sql),
      decision,
      reason,
      credential: target.credential,
      startedAt,
      owner: owner(),
    });
  }

  /** Half a value would not be known for what it is, so a text is masked before it is cut. */
  #shortened(sql: string): string {
    if (sql.length <= MAX_KEPT) return sql;
    const outcome = this.#deps.masker().text(sql, { purpose: 'record' });
    return outcome.kind === 'released' ? `${outcome.text.slice(0, MAX_KEPT)}…` : '[withheld]';
  }
}
