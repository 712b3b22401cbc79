/** Whether the WHERE of an UPDATE or DELETE chooses rows. It knows the usual disguises and proves nothing beyond them. */
import type { Token } from './tokens.ts';

const ENDS = new Set(['RETURNING', 'ORDER', 'LIMIT', 'OPTION', 'GROUP', 'WINDOW', 'WHEN']);
const CONSTANT_WORDS = new Set([
  'TRUE',
  'FALSE',
  'NULL',
  'NOT',
  'AND',
  'OR',
  'IS',
  'LIKE',
  'IN',
  'BETWEEN',
  'EXISTS',
  'SELECT',
]);

/** A text with more is taken to choose no rows: each is walked to its end. */
const MAX_CONDITIONS = 64;
/** Words before UPDATE and DELETE that make them a part of another statement, whose condition they share. */
const WITHIN = new Set(['DO', 'KEY', 'THEN', 'FOR', 'ON']);

/** Whether every UPDATE (or DELETE) of the statement has a condition that chooses rows. */
export function choosesRows(tokens: readonly Token[], verb: 'Update' | 'Delete'): boolean {
  const verbs = tokens.filter(
    ({ kind, text }, at) =>
      kind === 'word' && text === verb.toUpperCase() && !WITHIN.has(tokens[at - 1]?.text ?? ''),
  );
  const places = tokens.flatMap(({ kind, text }, at) =>
    kind === 'word' && text === 'WHERE' ? [at + 1] : [],
  );
  if (places.length < verbs.length || places.length > MAX_CONDITIONS) return false;
  const conditions = places.map((from) => untilEnd(tokens, from));
  return (
    verbs.length === 0 || conditions.every((condition) => split(condition, 'OR', '|').every(isSelective))
  );
}

function untilEnd(tokens: readonly Token[], from: number): Token[] {
  const taken: Token[] = [];
  let depth = 0;
  for (const token of tokens.slice(from)) {
    depth += depthOf(token);
    if (depth < 0 || (depth === 0 && token.kind === 'word' && ENDS.has(token.text))) break;
    taken.push(token);
  }
  return taken;
}

function depthOf({ kind, text }: Token): number {
  if (kind !== 'symbol') return 0;
  return text === '(' ? 1 : text === ')' ? -1 : 0;
}

/** Cut at a word or symbol, whatever the depth: a condition is as wide as its widest alternative. */
function split(condition: readonly Token[], word: string, symbol: string): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of condition) {
    if ((token.kind === 'word' && token.text === word) || (token.kind === 'symbol' && token.text === symbol))
      parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.filter((part) => part.length > 0);
}

function isSelective(alternative: readonly Token[]): boolean {
  const plain = alternative.filter(({ text, kind }) => kind !== 'symbol' || (text !== '(' && text !== ')'));
  return split(plain, 'AND', '&').some((part) => part.some(isReference) && !comparesWithItself(part));
}

function isReference({ kind, text }: Token): boolean {
  return (
    kind === 'name' || kind === 'variable' || text === '?' || (kind === 'word' && !CONSTANT_WORDS.has(text))
  );
}

/** `a = a`, `t.a <= t.a`, `a LIKE '%'`. */
function comparesWithItself(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1);
  if (tokens.at(-2)?.text === 'LIKE' && last?.kind === 'string') return /^%+$/.test(last.text);
  const from = tokens.findIndex(isComparison);
  const rest = tokens.slice(from);
  const length = rest.findIndex((token) => !isComparison(token));
  const operator = textOf(rest.slice(0, length));
  return (
    ['=', '< =', '> ='].includes(operator) && textOf(tokens.slice(0, from)) === textOf(rest.slice(length))
  );
}

function isComparison({ kind, text }: Token): boolean {
  return kind === 'symbol' && '=<>'.includes(text);
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ kind, text }) => (kind === 'string' ? `'${text}'` : text)).join(' ');
}
