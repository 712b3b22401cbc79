/** The statements inside a DO block. SQL that it puts together while it runs is Unparsable. */
import { FactCollector, UNPARSABLE, type SqlFacts } from '../facts.ts';
import { childOf, isTree, listOf, textOf, type Tree } from '../tree.ts';
import type { PgParser } from './parser.ts';

type Classify = (sql: string, parser: PgParser) => SqlFacts;

/** Members that hold SQL as an expression whose value is the text to run. */
const DYNAMIC = new Set(['PLpgSQL_stmt_dynexecute.query', 'PLpgSQL_stmt_dynfors.query']);

const KNOWN = new Set(
  `function var rec row type nsitem expr stmt_block stmt_assign stmt_if if_elsif stmt_case case_when stmt_loop stmt_while
   stmt_fori stmt_fors stmt_forc stmt_foreach_a stmt_exit stmt_return stmt_return_next stmt_return_query stmt_raise
   raise_option stmt_assert stmt_execsql stmt_dynexecute stmt_dynfors stmt_getdiag diag_item stmt_open stmt_fetch
   stmt_close stmt_perform stmt_call stmt_commit stmt_rollback exception_block exception condition recfield arrayelem
   cursor_arg`
    .split(/\s+/)
    .map((name) => `PLpgSQL_${name}`),
);

export function classifyDo(statement: Tree, parser: PgParser, classify: Classify): SqlFacts {
  const options = new Map(
    listOf(statement, 'args')
      .filter(isTree)
      .map((option) => childOf(option, 'DefElem'))
      .map(
        (option) =>
          [textOf(option, 'defname'), textOf(childOf(childOf(option, 'arg'), 'String'), 'sval')] as const,
      ),
  );
  const body = options.get('as');
  const language = options.get('language') ?? 'plpgsql';
  if (body === undefined || language !== 'plpgsql') return UNPARSABLE;
  const outcome = parser.parsePlPgSql(`DO ${quoted(body)}`);
  if (!outcome.ok) return UNPARSABLE;
  const facts = new FactCollector();
  visit(outcome.tree, '', { facts, parser, classify });
  return facts.facts();
}

/** In dollar quotes whose tag the body does not hold. */
function quoted(body: string): string {
  let tag = '$body$';
  for (let n = 0; body.includes(tag); n++) tag = `$body${n}$`;
  return `${tag}${body}${tag}`;
}

interface Context {
  readonly facts: FactCollector;
  readonly parser: PgParser;
  readonly classify: Classify;
}

function visit(value: unknown, parent: string, context: Context): void {
  if (Array.isArray(value)) for (const item of value) visit(item, parent, context);
  if (!isTree(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (key === 'PLpgSQL_expr') expression(isTree(child) ? child : {}, context);
    else if (DYNAMIC.has(`${parent}.${key}`) || key === 'dynquery') dynamic(child, context);
    else if (key.startsWith('PLpgSQL_')) node(key, child, context);
    else visit(child, parent, context);
  }
}

function node(type: string, child: unknown, context: Context): void {
  if (!KNOWN.has(type)) context.facts.add('Unparsable');
  if (type === 'PLpgSQL_stmt_commit' || type === 'PLpgSQL_stmt_rollback') context.facts.add('Session');
  visit(child, type, context);
}

/** An expression of PL/pgSQL: a statement, a value, or an assignment, as its parse mode says (RawParseMode). */
function expression(node: Tree, { facts, parser, classify }: Context): void {
  const query = textOf(node, 'query');
  if (query === undefined) {
    facts.add('Unparsable');
    return;
  }
  for (const sql of statementsOf(query, node['parseMode'])) facts.include(classify(sql, parser));
}

function statementsOf(query: string, mode: unknown): string[] {
  if (mode === 0 || mode === undefined) return [query];
  if (mode === 2) return [`SELECT ${query}`];
  const assignment = /^([^=]*?):?=([^]*)$/.exec(query);
  return assignment === null ? [query] : [`SELECT ${assignment[1] ?? ''}`, `SELECT ${assignment[2] ?? ''}`];
}

/** Text that is run: known where it is one constant, anything where it is put together. */
function dynamic(value: unknown, context: Context): void {
  const query = isTree(value) ? textOf(childOf(value, 'PLpgSQL_expr'), 'query') : undefined;
  const outcome = query === undefined ? undefined : context.parser.parse(`SELECT ${query}`);
  const constant = outcome?.ok === true ? constantOf(outcome.tree) : undefined;
  if (constant === undefined) context.facts.add('Unparsable');
  else context.facts.include(context.classify(constant, context.parser));
}

function constantOf(tree: unknown): string | undefined {
  const statements = isTree(tree) ? listOf(tree, 'stmts') : [];
  const [statement] = statements;
  if (statements.length !== 1 || !isTree(statement)) return undefined;
  const select = childOf(childOf(statement, 'stmt'), 'SelectStmt');
  const targets = listOf(select, 'targetList').filter(isTree);
  if (targets.length !== 1 || select['fromClause'] !== undefined) return undefined;
  const constant = childOf(childOf(childOf(targets[0] ?? {}, 'ResTarget'), 'val'), 'A_Const');
  return textOf(childOf(constant, 'sval'), 'sval');
}
