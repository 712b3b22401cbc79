/** The tables that a statement names, as far as words tell them. */
import type { Token } from './tokens.ts';

const BEFORE_TABLES = new Set([
  'FROM',
  'JOIN',
  'INTO',
  'UPDATE',
  'TABLE',
  'TRUNCATE',
  'APPLY',
  'USING',
  'DELETE',
  'VIEW',
]);
const SKIPPED = new Set(
  `TABLE ONLY IF NOT EXISTS IGNORE LOW_PRIORITY QUICK OVERWRITE OR REPLACE ROLLBACK ABORT FAIL FROM INTO LATERAL`.split(
    ' ',
  ),
);
/** Words that end a list of tables. */
const ENDS = new Set(
  `WHERE SET VALUES SELECT ON USING GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT MINUS JOIN INNER LEFT RIGHT FULL CROSS
   NATURAL WHEN RETURNING OUTPUT WINDOW QUALIFY FOR WITH DEFAULT`.split(/\s+/),
);

export function targetsOf(tokens: readonly Token[]): string[] {
  const defined = new Set(
    tokens.filter((_token, at) => isDefinition(tokens, at)).map(({ source }) => source.toLowerCase()),
  );
  const found = tokens.flatMap(({ kind, text }, at) =>
    kind === 'word' && BEFORE_TABLES.has(text) && tokens[at - 1]?.text !== '.'
      ? tablesFrom(tokens, at + 1)
      : [],
  );
  return found.filter((name) => !defined.has(name.toLowerCase()));
}

/** `name AS (` is a name that WITH defines. */
function isDefinition(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.kind !== 'symbol' && tokens[at + 1]?.text === 'AS' && tokens[at + 2]?.text === '(';
}

/** A list of tables with their aliases. */
function tablesFrom(tokens: readonly Token[], from: number): string[] {
  const found: string[] = [];
  let at = skip(tokens, from, isSkipped);
  for (let path = pathAt(tokens, at); path !== undefined; path = pathAt(tokens, at)) {
    if (tokens[path.end]?.text !== '(') found.push(path.name);
    at = skip(tokens, path.end, isAlias);
    if (tokens[at]?.text !== ',' || found.length >= MAX_TABLES) break;
    at += 1;
  }
  return found;
}

/** Neither modifiers nor aliases are ever more words than this, and a text may hold any number of them. */
const MAX_SKIPPED = 4;
/** In one list. */
const MAX_TABLES = 64;

function skip(tokens: readonly Token[], from: number, skipped: (token: Token) => boolean): number {
  const window = tokens.slice(from, from + MAX_SKIPPED);
  const end = window.findIndex((token) => !skipped(token));
  return from + (end === -1 ? window.length : end);
}

const isSkipped = ({ kind, text }: Token): boolean => kind === 'word' && SKIPPED.has(text);

const isAlias = ({ kind, text }: Token): boolean => kind === 'name' || (kind === 'word' && !ENDS.has(text));

function pathAt(tokens: readonly Token[], from: number): { name: string; end: number } | undefined {
  const parts: string[] = [];
  let at = from;
  for (let token = tokens[at]; token?.kind === 'name' || token?.kind === 'word'; token = tokens[at]) {
    if (token.kind === 'word' && ENDS.has(token.text)) break;
    parts.push(token.source);
    at += 1;
    if (tokens[at]?.text !== '.') break;
    at += 1;
  }
  return parts.length === 0 ? undefined : { name: parts.join('.'), end: at };
}
