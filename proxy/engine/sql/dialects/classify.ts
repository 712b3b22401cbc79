/**
 * SQL of dialects without a parser of their server's own here. The text is cut into tokens exactly as the server cuts
 * it, then each statement is judged by its words: what it begins with, what it holds, what it calls.
 */
import { FactCollector, UNPARSABLE, type SqlFacts } from '../facts.ts';
import type { Dialect } from './dialect.ts';
import { lex } from './lexer.ts';
import type { LexRules, Token } from './tokens.ts';
import { classifyStatement } from './statement.ts';

/** Text inside text that is run: deeper than this it is Unparsable. */
const MAX_DEPTH = 3;

export function classifyDialect(text: string, dialect: Dialect, depth = 0): SqlFacts {
  if (depth > MAX_DEPTH) return UNPARSABLE;
  const readings = readingsOf(text, dialect.lex).map((rules) => lex(text, rules));
  const facts = new FactCollector();
  for (const tokens of readings) {
    facts.include(tokens === undefined ? UNPARSABLE : classifyTokens(tokens, dialect, depth));
  }
  return facts.facts();
}

/** A comment that only some versions of the server run is read both ways, and both count. */
function readingsOf(text: string, rules: LexRules): LexRules[] {
  if (rules.executableComments === undefined || !/\/\*M?!/.test(text)) return [rules];
  return [rules, { ...rules, executableComments: 'skip' }];
}

function classifyTokens(tokens: readonly Token[], dialect: Dialect, depth: number): SqlFacts {
  const facts = new FactCollector();
  for (const statement of statementsOf(tokens, dialect)) {
    facts.statement();
    classifyStatement(statement, facts, dialect, (text) => classifyDialect(text, dialect, depth + 1));
  }
  return facts.facts();
}

function statementsOf(tokens: readonly Token[], { flow }: Dialect): Token[][] {
  const statements: Token[][] = [[]];
  tokens.forEach((token, at) => {
    const flows =
      flow === true && ['-', '>', '>'].every((symbol, offset) => isSymbol(tokens[at + offset], symbol));
    if (flows || isSymbol(token, ';')) statements.push([]);
    if (!isSymbol(token, ';')) statements.at(-1)?.push(token);
  });
  return statements.map(withoutFlow).filter((statement) => statement.length > 0);
}

function withoutFlow(statement: Token[]): Token[] {
  return isSymbol(statement[0], '-') ? statement.slice(3) : statement;
}

function isSymbol(token: Token | undefined, text: string): boolean {
  return token?.kind === 'symbol' && token.text === text;
}
