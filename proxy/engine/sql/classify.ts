/** SQL of every dialect that a rule may name. Parsers are loaded for the dialects of the rules, and only then. */
import type { SqlDialect } from '../../../crds/bundle.ts';
import { bigquery } from './dialects/bigquery.ts';
import { classifyDialect } from './dialects/classify.ts';
import type { Dialect } from './dialects/dialect.ts';
import { mysql } from './dialects/mysql.ts';
import { snowflake } from './dialects/snowflake.ts';
import { sqlite } from './dialects/sqlite.ts';
import { tsql } from './dialects/tsql.ts';
import { UNPARSABLE, type SqlFacts } from './facts.ts';
import { classifyPostgres } from './postgres/classify.ts';
import { sharedPgParser } from './postgres/parser.ts';

export type { SqlFacts } from './facts.ts';
export { UNPARSABLE } from './facts.ts';

/** Never throws: what it cannot read is Unparsable. */
export type ClassifySql = (text: string, dialect: SqlDialect) => SqlFacts;

/** Characters. A statement may parse to a tree of twenty times its length. */
export const MAX_SQL_LENGTH = 128 * 1024;

type Engine = (text: string) => SqlFacts;

const loaders: Readonly<Record<SqlDialect, () => Promise<Engine>>> = {
  PostgreSQL: loadPostgres,
  MySQL: ofDialect(mysql),
  TSQL: ofDialect(tsql),
  SQLite: ofDialect(sqlite),
  BigQuery: ofDialect(bigquery),
  Snowflake: ofDialect(snowflake),
};

/** Loads what reads some dialects. The function that it gives knows no others. */
export async function loadSql(dialects: Iterable<SqlDialect>): Promise<ClassifySql> {
  const engines = new Map<SqlDialect, Engine>();
  for (const dialect of new Set(dialects)) engines.set(dialect, await loaders[dialect]());
  return (text, dialect) => {
    const classify = engines.get(dialect);
    if (classify === undefined || text.length > MAX_SQL_LENGTH || !isReadable(text)) return UNPARSABLE;
    try {
      return classify(text);
    } catch {
      // The tree of a deeply nested statement can be deeper than the stack.
      return UNPARSABLE;
    }
  };
}

async function loadPostgres(): Promise<Engine> {
  const parser = await sharedPgParser();
  return (text) => classifyPostgres(text, parser);
}

function ofDialect(dialect: Dialect): () => Promise<Engine> {
  return () => Promise.resolve((text) => classifyDialect(text, dialect));
}

/** A parser in C ends at NUL and the server may not; half a surrogate pair has no UTF-8. */
function isReadable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
