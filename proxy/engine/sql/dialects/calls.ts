/** Which functions a statement calls that are not known to be pure reads. */
import { words, type Dialect } from './dialect.ts';
import { commonFunctions } from './functions.ts';
import type { Token } from './tokens.ts';

/** Words before which a parenthesis is no call: keywords, and types that take a length. */
const NO_CALLS = words(`
  SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET FETCH AS ON USING AND OR NOT IN EXISTS ANY ALL SOME BETWEEN LIKE ILIKE
  RLIKE REGEXP IS THEN ELSE WHEN CASE OVER PARTITION WITHIN FILTER VALUES UNION INTERSECT EXCEPT MINUS JOIN CROSS APPLY
  LATERAL WITH DISTINCT SET RETURNING OUTPUT KEY TABLE TOP INDEX FORCE IGNORE USE DIV MOD XOR SETS ROWS RANGE ROLLUP CUBE
  PIVOT UNPIVOT INTERVAL INTO INSERT OVERWRITE MATCHED CONFLICT UPDATE DELETE ESCAPE COLLATE QUALIFY WINDOW RECURSIVE
  MATERIALIZED TABLESAMPLE FOR OPTION COLUMNS ROW NATURAL LEFT RIGHT END EXEC EXECUTE IMMEDIATE STRUCT ARRAY BERNOULLI
  SYSTEM REPEATABLE AGAINST CALL AT BEFORE CHANGES MATCH_CONDITION CHAR VARCHAR NCHAR NVARCHAR CHARACTER BINARY VARBINARY
  DECIMAL NUMERIC FLOAT REAL DOUBLE INT INTEGER BIGINT SMALLINT TINYINT BIT DATETIME2 DATETIMEOFFSET`);

/** Words that change what `*` stands for, as in `* EXCEPT (a)`. */
const AFTER_STAR = words('EXCLUDE RENAME REPLACE ILIKE EXCEPT');

/** Words behind which a name with a parenthesis is a table with its columns, or an alias with them. */
const NAMES_FOLLOW = words('INTO AS TABLE WITH RECURSIVE UPDATE REFERENCES OVERWRITE IGNORE PRAGMA DBCC');

export function callsOf(tokens: readonly Token[], dialect: Dialect): string[] {
  const closings = closingsOf(tokens);
  return tokens.flatMap((token, at) => {
    if (token.text !== '(' || token.kind !== 'symbol') return [];
    const path = pathBefore(tokens, at);
    if (path === undefined || isColumnList(tokens, closings.get(at), path.start)) return [];
    return isPure(path, dialect) ? [] : [path.parts.map(({ source }) => source).join('.')];
  });
}

interface Path {
  readonly parts: readonly Token[];
  /** Index of its first token. */
  readonly start: number;
}

/** The dotted name that ends right before a token. */
function pathBefore(tokens: readonly Token[], end: number): Path | undefined {
  const parts: Token[] = [];
  let at = end - 1;
  for (let token = tokens[at]; token?.kind === 'word' || token?.kind === 'name'; token = tokens[at]) {
    parts.unshift(token);
    if (tokens[at - 1]?.text !== '.') break;
    at -= 2;
  }
  return parts.length === 0 ? undefined : { parts, start: at };
}

function isColumnList(tokens: readonly Token[], close: number | undefined, start: number): boolean {
  const before = tokens[start - 1];
  if (before?.kind === 'word' && NAMES_FOLLOW.has(before.text)) return true;
  // Behind `::` stands a type.
  if (before?.text === ':' || changesStar(before, tokens[start])) return true;
  return close !== undefined && definesTable(tokens, close);
}

/** `WITH a AS (…), b (x) AS (…)` names a column list where a call could not be followed by AS and a parenthesis. */
function definesTable(tokens: readonly Token[], close: number): boolean {
  return tokens[close + 1]?.text === 'AS' && tokens[close + 2]?.text === '(';
}

function changesStar(before: Token | undefined, word: Token | undefined): boolean {
  return (before?.text === '*' || before?.text === ')') && AFTER_STAR.has(word?.text ?? '');
}

/** Index of each opening parenthesis → index of the one that closes it. */
function closingsOf(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const closings = new Map<number, number>();
  const open: number[] = [];
  tokens.forEach(({ kind, text }, at) => {
    if (kind !== 'symbol') return;
    if (text === '(') open.push(at);
    const opened = text === ')' ? open.pop() : undefined;
    if (opened !== undefined) closings.set(opened, at);
  });
  return closings;
}

function isPure({ parts }: Path, dialect: Dialect): boolean {
  // A quoted name is never a function of the system's own.
  if (parts.some(({ kind }) => kind === 'name')) return false;
  const name = parts.map(({ text }) => text).join('.');
  if (parts.length === 1 && NO_CALLS.has(name)) return true;
  return dialect.functions.has(name) || (parts.length === 1 && commonFunctions.has(name));
}
