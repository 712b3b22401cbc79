/** What distinguishes the dialects that have no parser of their own server here. Words are in upper case. */
import type { SqlClass } from '../../../../crds/bundle.ts';
import type { LexRules, Token } from './tokens.ts';

export interface Dialect {
  readonly lex: LexRules;
  /** What a statement does by the word it begins with; none for reads. Another word begins nothing that is known. */
  readonly leads: ReadonlyMap<string, readonly SqlClass[]>;
  /** What a statement that begins with a word which is no lead is: `Call` where that is how a procedure is run. */
  readonly unknownLead: SqlClass;
  /** What a word does wherever it stands without quotes: the dialect reserves it, or it cannot be a name there. */
  readonly anywhere: ReadonlyMap<string, readonly SqlClass[]>;
  /** Words of `anywhere` that are also functions, when a parenthesis follows. */
  readonly wordFunctions: ReadonlySet<string>;
  /** What INTO does where it does not say where rows are inserted. */
  readonly into: (next: string) => readonly SqlClass[];
  /** Reserved words that no plain read holds. */
  readonly foreign: ReadonlySet<string>;
  /** Functions that only compute or read, beyond those of every dialect; with a dot where they have one. */
  readonly functions: ReadonlySet<string>;
  /** `->>` stands between statements (Snowflake). */
  readonly flow?: boolean;
  /** A word behind a dot is a name even where it is reserved. */
  readonly dottedNames: boolean;
  /** Words that begin a statement which explains another; it runs only with ANALYZE. */
  readonly explain: ReadonlySet<string>;
  /** Whether ANALYZE makes EXPLAIN run the statement. */
  readonly explainAnalyzeRuns: boolean;
  /** Words behind which text is run as SQL. */
  readonly dynamic: ReadonlySet<string>;
  /** What else the dialect alone has. */
  readonly special?: (tokens: readonly Token[]) => readonly SqlClass[];
}

export function words(text: string): Set<string> {
  return new Set(text.trim().split(/\s+/));
}

/** A table of classes: each line is classes, then the words that have them. */
export function classTable(
  rows: readonly (readonly [readonly SqlClass[], string])[],
): ReadonlyMap<string, readonly SqlClass[]> {
  return new Map(rows.flatMap(([classes, list]) => [...words(list)].map((word) => [word, classes] as const)));
}
