/** Decides on statements before the database gets them. */
import { isUtf8 } from 'node:buffer';
import type { Conversation } from './conversation.ts';
import { UNSETTLED } from './names.ts';

/** Why something does not reach the database. */
export interface Refused {
  /** What is recorded of it. */
  readonly sql: string;
  readonly reason: string;
}

/** `wait`: it is not known before the database has answered. */
export type Answer<T> = T | 'wait';

export interface JudgingDeps {
  readonly conversation: Conversation;
  /** Whether a rule looks at statements, so that they have to be understood. */
  readonly judges: () => boolean;
  /** Why these texts, which run as one statement, may not reach the database; undefined where they may. */
  readonly judge: (texts: readonly string[]) => string | undefined;
}

export class Judging {
  readonly #deps: JudgingDeps;

  constructor(deps: JudgingDeps) {
    this.#deps = deps;
  }

  /** A statement as the wire has it. */
  judge(bytes: Buffer): Answer<Refused | { readonly sql: string; readonly reason: undefined }> {
    if (!isUtf8(bytes)) return { sql: '', reason: NOT_UTF8 };
    const sql = bytes.toString('utf8');
    const reason = this.#why(sql);
    return reason === 'wait'
      ? reason
      : reason === undefined
        ? { sql, reason }
        : { sql, reason: reason.because };
  }

  /** One that has been prepared; undefined: nobody knows which. */
  judgePrepared(sql: string | undefined): Answer<Refused | undefined> {
    if (sql === undefined) return this.#deps.judges() ? { sql: '', reason: UNKNOWN } : undefined;
    const why = this.#why(sql);
    return why === undefined || why === 'wait' ? why : { sql, reason: why.because };
  }

  #why(sql: string): Answer<{ readonly because: string } | undefined> {
    const { conversation, judges, judge } = this.#deps;
    const effects = conversation.effects(sql);
    if (effects.refused !== undefined) return { because: effects.refused };
    const texts = [sql];
    for (const name of effects.executes) {
      const known = this.#textsOf(name);
      if (known === 'wait') return known;
      if (judges() && known.length === 0) return { because: UNKNOWN };
      texts.push(...known);
    }
    const because = judge(texts);
    if (because !== undefined) return { because };
    conversation.sends(effects, sql);
    return undefined;
  }

  /** What EXECUTE may run under a name: statements of the protocol and of SQL share their names. */
  #textsOf(name: string): Answer<readonly string[]> {
    const { conversation } = this.#deps;
    const known = conversation.statements.get(name, conversation.batch);
    if (known === UNSETTLED) return 'wait';
    return [...conversation.sqlPrepared(name), ...(known === undefined ? [] : [known.sql])];
  }
}

const UNKNOWN =
  'The statement runs one that this connection has not prepared, so that it cannot be judged; prepare it again.';
const NOT_UTF8 = 'The statement is not UTF-8, so that it cannot be judged.';
