/** Walks PostgreSQL's own parse tree. Every node is visited, and one of a type that is not known is Unparsable. */
import { FactCollector, UNPARSABLE, type SqlFacts } from '../facts.ts';
import { childOf, isTree, listOf, textOf, type Tree } from '../tree.ts';
import { classifyDo } from './do-block.ts';
import { impureFunction, impureOperator } from './functions.ts';
import { neutralNodes, statementClasses } from './nodes.ts';
import { FAILED, type PgParser } from './parser.ts';
import { hasEffectiveWhere } from './where.ts';

/** The parser takes quadratic time for comments inside comments: minutes for a few hundred kilobytes of them. */
const MAX_COMMENTS = 500;

function opensComments(text: string): number {
  return text.split('/*', MAX_COMMENTS + 2).length - 1;
}

/** What a text of PostgreSQL's SQL would do. A text without any statement does nothing. */
export function classifyPostgres(text: string, parser: PgParser): SqlFacts {
  if (text.trim() === '') return new FactCollector().facts();
  const outcome = opensComments(text) > MAX_COMMENTS ? FAILED : parser.parse(text);
  if (!outcome.ok || !isTree(outcome.tree)) return UNPARSABLE;
  const facts = new FactCollector();
  for (const statement of listOf(outcome.tree, 'stmts')) {
    facts.statement();
    facts.include(new Walk(parser, isTree(statement) ? statement['stmt'] : undefined).facts());
  }
  return facts.facts();
}

/** EXPLAIN without ANALYZE runs nothing, but the planner may call functions to estimate. */
const EXPLAINED = ['Call', 'Unparsable'] as const;

class Walk {
  readonly #parser: PgParser;
  readonly #facts = new FactCollector();
  readonly #reads = new Set<string>();
  readonly #views = new Set<string>();

  constructor(parser: PgParser, statement: unknown) {
    this.#parser = parser;
    if (isTree(statement) && Object.keys(statement).length > 0) this.#children(statement);
    else this.#facts.add('Unparsable');
  }

  facts(): SqlFacts {
    // A name that WITH defines is no table. One that is changed is always a table, whatever WITH says.
    for (const name of this.#reads) if (!this.#views.has(name)) this.#facts.target(name);
    return this.#facts.facts();
  }

  #visit(value: unknown): void {
    if (Array.isArray(value)) value.forEach((item) => this.#visit(item));
    else if (isTree(value)) this.#children(value);
  }

  #children(tree: Tree): void {
    if (typeof tree['relname'] === 'string') this.#facts.target(relationName(tree));
    for (const [key, child] of Object.entries(tree)) {
      if (/^[A-Z]/.test(key)) this.#node(key, child);
      else this.#member(key, child);
    }
  }

  /** A tagged node: `{"DeleteStmt": {…}}`. */
  #node(type: string, child: unknown): void {
    const node = isTree(child) ? child : {};
    if (type === 'RangeVar') this.#reads.add(relationName(node));
    else if (type === 'ExplainStmt') this.#explain(node);
    else this.#known(type, node, child);
  }

  #known(type: string, node: Tree, child: unknown): void {
    const classes = statementClasses.get(type);
    if (classes === undefined && !neutralNodes.has(type)) this.#facts.add('Unparsable');
    if (classes !== undefined) this.#facts.add(...classes);
    inspectors[type]?.(node, this.#facts);
    if (type === 'CommonTableExpr') this.#views.add(textOf(node, 'ctename') ?? '');
    if (type === 'DoStmt') this.#facts.include(classifyDo(node, this.#parser, classifyPostgres));
    this.#visit(child);
  }

  #explain(node: Tree): void {
    const inner = new Walk(this.#parser, node['query']).facts();
    this.#facts.include(inner, isAnalyzed(node) ? undefined : EXPLAINED);
    this.#visit(node['options']);
  }

  /** A plain member. Some of the grammar's clauses stand here without a tag. */
  #member(key: string, child: unknown): void {
    if (key === 'intoClause') this.#facts.add('DDL');
    if (key === 'lockingClause') this.#facts.add('Session');
    if (key === 'onConflictClause' && isTree(child) && child['action'] === 'ONCONFLICT_UPDATE')
      this.#facts.add('Update');
    if (key === 'operName' || key === 'useOp') this.#report(impureOperator(namesIn(child)));
    this.#visit(child);
  }

  #report(impure: string | undefined): void {
    if (impure !== undefined) this.#facts.call(impure);
  }
}

type Inspector = (node: Tree, facts: FactCollector) => void;

/** What a node's own members say beyond its type. */
const inspectors: Readonly<Partial<Record<string, Inspector>>> = {
  DeleteStmt: (node, facts) => {
    if (!hasEffectiveWhere(node['whereClause'])) facts.unfiltered('Delete');
  },
  UpdateStmt: (node, facts) => {
    if (!hasEffectiveWhere(node['whereClause'])) facts.unfiltered('Update');
  },
  MergeWhenClause: (node, facts) => {
    if (node['commandType'] === 'CMD_DELETE') facts.add('Delete');
    else if (node['commandType'] === 'CMD_UPDATE') facts.add('Update');
    else if (node['commandType'] === 'CMD_INSERT') facts.add('Insert');
  },
  CopyStmt: (node, facts) => {
    if (node['is_from'] === true) facts.add('Insert');
  },
  FuncCall: (node, facts) => {
    const impure = impureFunction(namesIn(node['funcname']));
    if (impure !== undefined) facts.call(impure);
  },
  A_Expr: (node, facts) => {
    // BETWEEN, LIKE and DISTINCT name themselves in words here; their kind says that no operator was written.
    const written = ['AEXPR_OP', 'AEXPR_OP_ANY', 'AEXPR_OP_ALL'].includes(textOf(node, 'kind') ?? '');
    const impure = written ? impureOperator(namesIn(node['name'])) : undefined;
    if (impure !== undefined) facts.call(impure);
  },
  RangeTableSample: (node, facts) => {
    const method = namesIn(node['method']).join('.');
    if (!['system', 'bernoulli', 'pg_catalog.system', 'pg_catalog.bernoulli'].includes(method))
      facts.call(method);
  },
  DropdbStmt: (_node, facts) => facts.drop(),
  DropOwnedStmt: (_node, facts) => facts.drop(),
  DropRoleStmt: (_node, facts) => facts.drop(),
  DropTableSpaceStmt: (_node, facts) => facts.drop(),
  AlterTableCmd: (node, facts) => {
    if ((textOf(node, 'subtype') ?? '').startsWith('AT_Drop')) facts.drop();
    if (node['subtype'] === 'AT_ChangeOwner') facts.add('Grant');
  },
  DropStmt: (node, facts) => {
    facts.drop();
    for (const object of listOf(node, 'objects')) facts.target(namesIn(object).join('.'));
  },
};

/** The strings in a list of names, at any depth: `{"List":{"items":[{"String":{"sval":"a"}}]}}` is `["a"]`. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isTree(value)) return [];
  const name = textOf(childOf(value, 'String'), 'sval');
  return name === undefined ? Object.values(value).flatMap(namesIn) : [name];
}

function relationName(node: Tree): string {
  return ['catalogname', 'schemaname', 'relname'].flatMap((key) => textOf(node, key) ?? []).join('.');
}

/** The last of several ANALYZE options counts; one that is not plainly off is taken as on. */
function isAnalyzed(node: Tree): boolean {
  const options = listOf(node, 'options')
    .filter(isTree)
    .map((option) => childOf(option, 'DefElem'));
  return options.some((option) => textOf(option, 'defname') === 'analyze' && !isOff(option['arg']));
}

function isOff(arg: unknown): boolean {
  if (!isTree(arg)) return false;
  const text = textOf(childOf(arg, 'String'), 'sval')?.toLowerCase();
  return (
    text === 'false' || text === 'off' || (isTree(arg['Integer']) && (arg['Integer']['ival'] ?? 0) === 0)
  );
}
