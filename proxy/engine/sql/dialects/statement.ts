/**
 * One statement, as tokens. What it begins with says what it does; every word in it that the dialect reserves for
 * something else adds to that, wherever it stands; and a read must hold nothing that reads do not hold.
 */
import type { SqlClass } from '../../../../crds/bundle.ts';
import { UNPARSABLE, type FactCollector, type SqlFacts } from '../facts.ts';
import { words, type Dialect } from './dialect.ts';
import { callsOf } from './calls.ts';
import type { Token } from './tokens.ts';
import { targetsOf } from './targets.ts';
import { choosesRows } from './where.ts';

/** Words behind CREATE, ALTER, DROP and RENAME that are about rights. */
const RIGHTS = new Set([
  'USER',
  'ROLE',
  'LOGIN',
  'CREDENTIAL',
  'CERTIFICATE',
  'AUTHORIZATION',
  'POLICY',
  'INTEGRATION',
]);
/** Before a parenthesis or a variable they run text; before a name, a procedure or a prepared statement. */
const EXECUTES = new Set(['EXEC', 'EXECUTE']);
const DEFINERS = new Set(['CREATE', 'ALTER', 'DROP', 'RENAME', 'UNDROP']);
/** Words before an INTO that names where rows are inserted. */
const BEFORE_INTO = words(
  'INSERT REPLACE MERGE IGNORE LOW_PRIORITY HIGH_PRIORITY DELAYED ABORT FAIL ROLLBACK OVERWRITE COPY DATA INDEX',
);
const LOCKING = words('UPDATE SHARE');
/** What follows ON DELETE and ON UPDATE in a definition. */
const ACTIONS = words('CASCADE SET RESTRICT NO CURRENT_TIMESTAMP NOW');
/** Hints of Transact-SQL that hold a word of change. */
const HINTS = new Set(['MERGE JOIN', 'MERGE UNION', 'USE HINT', 'USE INDEX', 'USE KEY']);
/** They tell about what is there, and name it with the words that made it (SHOW CREATE TABLE). */
const TELLING = words('SHOW HELP LIST LS');
/** Words that begin a block of statements. */
const BLOCKS = words('BEGIN IF ELSE ELSEIF LOOP WHILE REPEAT FOR CASE DECLARE');
/** EXPLAIN runs nothing, but planning may call functions. */
const EXPLAINED: readonly SqlClass[] = ['Call', 'Unparsable'];

export type ClassifyText = (text: string) => SqlFacts;

export function classifyStatement(
  tokens: readonly Token[],
  facts: FactCollector,
  dialect: Dialect,
  classifyText: ClassifyText,
): void {
  const statement = new Statement(tokens, dialect);
  const classes = statement.classes();
  facts.add(...classes);
  if (classes.every((name) => QUERYING.has(name))) statement.calls().forEach((name) => facts.call(name));
  targetsOf(tokens).forEach((name) => facts.target(name));
  if (statement.drops()) facts.drop();
  for (const name of ['Update', 'Delete'] as const) {
    if (classes.includes(name) && !choosesRows(tokens, name)) facts.unfiltered(name);
  }
  if (statement.runsText()) facts.include(dynamicText(tokens, classifyText));
}

/** Classes of statements in which functions of the database are called; definitions only name them. */
const QUERYING: ReadonlySet<SqlClass> = new Set([
  'Insert',
  'Update',
  'Delete',
  'Merge',
  'Call',
  'Copy',
  'Session',
]);

class Statement {
  readonly #tokens: readonly Token[];
  readonly #dialect: Dialect;
  readonly #lead: string | undefined;
  /** Words that may be keywords, in order. */
  readonly #words: readonly string[];

  constructor(tokens: readonly Token[], dialect: Dialect) {
    this.#tokens = tokens;
    this.#dialect = dialect;
    const first = tokens.find(({ text }) => text !== '(');
    this.#lead = first?.kind === 'word' ? first.text : undefined;
    this.#words = tokens.flatMap((token, at) => (this.#isKeyword(token, at) ? [token.text] : []));
  }

  classes(): readonly SqlClass[] {
    const lead = this.#lead;
    if (lead === undefined) return ['Unparsable'];
    if (this.#dialect.explain.has(lead)) return this.#explained();
    const found = new Set([
      ...this.#led(lead),
      ...this.#swept(lead),
      ...(this.#dialect.special?.(this.#tokens) ?? []),
    ]);
    if (found.size > 0) return [...found];
    return this.#words.some((word) => this.#dialect.foreign.has(word)) ? ['Unparsable'] : [];
  }

  /** Taking the next value of a sequence looks like a column, or like words. */
  calls(): string[] {
    const takes = this.#tokens.some(
      ({ kind, text }, at) =>
        kind === 'word' && (text === 'NEXTVAL' || (text === 'VALUE' && this.#textAt(at + 1) === 'FOR')),
    );
    return [...callsOf(this.#tokens, this.#dialect), ...(takes ? ['next value'] : [])];
  }

  drops(): boolean {
    return this.#words.includes('DROP');
  }

  runsText(): boolean {
    if (this.#words.some((word) => this.#dialect.dynamic.has(word))) return true;
    return this.#tokens.some(({ kind, text }, at) => {
      const next = this.#tokens[at + 1];
      return kind === 'word' && EXECUTES.has(text) && (next?.text === '(' || next?.kind === 'variable');
    });
  }

  #isKeyword({ kind }: Token, at: number): boolean {
    return kind === 'word' && !(this.#dialect.dottedNames && this.#tokens[at - 1]?.text === '.');
  }

  #led(lead: string): readonly SqlClass[] {
    const led = this.#dialect.leads.get(lead) ?? [this.#dialect.unknownLead];
    const rights = DEFINERS.has(lead) && this.#words.slice(1, 5).some((word) => RIGHTS.has(word));
    return rights ? ['Grant'] : led;
  }

  #swept(lead: string): readonly SqlClass[] {
    if (TELLING.has(lead)) return [];
    // Inside blocks a statement begins behind any of many words, so each word that can begin one counts.
    const table = BLOCKS.has(lead) ? [this.#dialect.anywhere, this.#dialect.leads] : [this.#dialect.anywhere];
    return this.#tokens.flatMap((token, at) => {
      if (at === 0 || !this.#isKeyword(token, at)) return [];
      if (token.text === 'INTO') return this.#into(at);
      return this.#inClause(at) ?? table.flatMap((classes) => [...(classes.get(token.text) ?? [])]);
    });
  }

  /** Where a word of change names a part of another statement, a hint or a function. */
  #inClause(at: number): readonly SqlClass[] | undefined {
    const [before, word, after] = [this.#textAt(at - 1), this.#textAt(at), this.#textAt(at + 1)];
    if (before === 'FOR' && LOCKING.has(word)) return ['Session'];
    const isAction = before === 'ON' && ACTIONS.has(after) && DEFINERS.has(this.#lead ?? '');
    return isAction || HINTS.has(`${word} ${after}`) || this.#isFunction(at) ? [] : undefined;
  }

  #isFunction(at: number): boolean {
    const called = this.#textAt(at + 1) === '(' && this.#textAt(at - 1) !== 'THEN';
    return called && this.#dialect.wordFunctions.has(this.#textAt(at));
  }

  #into(at: number): readonly SqlClass[] {
    return BEFORE_INTO.has(this.#textAt(at - 1)) ? [] : this.#dialect.into(this.#textAt(at + 1));
  }

  #textAt(at: number): string {
    return this.#tokens[at]?.text ?? '';
  }

  #explained(): readonly SqlClass[] {
    const rest = this.#tokens.slice(1);
    const { leads, explain, explainAnalyzeRuns } = this.#dialect;
    const start = rest.findIndex(
      ({ kind, text }) => kind === 'word' && leads.has(text) && !explain.has(text) && text !== 'ANALYZE',
    );
    if (start === -1) return [];
    const inner = new Statement(rest.slice(start), this.#dialect).classes();
    const runs = explainAnalyzeRuns && rest.slice(0, start).some(({ text }) => text === 'ANALYZE');
    return runs ? inner : inner.filter((name) => EXPLAINED.includes(name));
  }
}

/** Text that is run as SQL: known where it is one constant, anything where it is put together. */
function dynamicText(tokens: readonly Token[], classifyText: ClassifyText): SqlFacts {
  const strings = tokens.filter(({ kind }) => kind === 'string');
  const joined = tokens.some(({ kind, text }) => kind === 'variable' || text === '+' || text === '|');
  const [only] = strings;
  const constant = strings.length === 1 && !joined && only !== undefined && !/['"\\]/.test(only.source);
  return constant ? classifyText(only.source) : UNPARSABLE;
}
