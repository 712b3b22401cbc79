/** Whether the WHERE of an UPDATE or DELETE chooses rows, or is written only to look as if it did. */
import { childOf, isTree, listOf, textOf, type Tree } from '../tree.ts';

/** Nodes whose value differs by row or by what else is in the database. */
const REFERENCES = new Set(['ColumnRef', 'ParamRef', 'CurrentOfExpr', 'SubLink']);

export function hasEffectiveWhere(where: unknown): boolean {
  return isTree(where) && refersToRows(where) && !isAlwaysTrue(where);
}

function refersToRows(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(refersToRows);
  if (!isTree(value)) return false;
  return Object.entries(value).some(([key, child]) => REFERENCES.has(key) || refersToRows(child));
}

/** Knows the usual disguises. It proves nothing about a condition that it does not know. */
function isAlwaysTrue(node: unknown): boolean {
  if (!isTree(node)) return false;
  if (!refersToRows(node)) return true;
  if (isTree(node['BoolExpr'])) return boolean(node['BoolExpr']);
  if (isTree(node['A_Expr'])) return comparison(node['A_Expr']);
  if (isTree(node['CoalesceExpr'])) return listOf(node['CoalesceExpr'], 'args').some(isAlwaysTrue);
  if (isTree(node['SubLink'])) return existsWithoutSource(node['SubLink']);
  if (isTree(node['TypeCast'])) return isAlwaysTrue(node['TypeCast']['arg']);
  return false;
}

function boolean(expression: Tree): boolean {
  const args = listOf(expression, 'args');
  switch (textOf(expression, 'boolop')) {
    case 'AND_EXPR':
      return args.every(isAlwaysTrue);
    case 'OR_EXPR':
      return args.some(isAlwaysTrue) || complement(args);
    default:
      return isNeverTrue(args[0]);
  }
}

function isNeverTrue(node: unknown): boolean {
  if (!isTree(node) || !isTree(node['A_Expr'])) return false;
  const expression = node['A_Expr'];
  return ['<>', '!=', '<', '>'].includes(operatorOf(expression)) && sameOperands(expression);
}

/** `x OR NOT x`, `x IS NULL OR x IS NOT NULL`. */
function complement(args: readonly unknown[]): boolean {
  const alternatives = args.filter(isTree);
  const plain = new Set(alternatives.map(shape));
  const isNull = new Set(alternatives.flatMap((arg) => nullTest(arg, 'IS_NULL')));
  return (
    alternatives.flatMap(negated).some((inner) => plain.has(inner)) ||
    alternatives.flatMap((arg) => nullTest(arg, 'IS_NOT_NULL')).some((operand) => isNull.has(operand))
  );
}

function negated(node: Tree): string[] {
  const expression = childOf(node, 'BoolExpr');
  return textOf(expression, 'boolop') === 'NOT_EXPR' ? [shape(listOf(expression, 'args')[0])] : [];
}

function nullTest(node: Tree, type: string): string[] {
  const test = childOf(node, 'NullTest');
  return textOf(test, 'nulltesttype') === type ? [shape(test['arg'])] : [];
}

function comparison(expression: Tree): boolean {
  const operator = operatorOf(expression);
  if (['=', '<=', '>='].includes(operator)) return sameOperands(expression);
  const constant = childOf(childOf(expression, 'rexpr'), 'A_Const');
  const pattern = textOf(childOf(constant, 'sval'), 'sval');
  if (['~~', '~~*'].includes(operator)) return pattern !== undefined && /^%+$/.test(pattern);
  if (['~', '~*'].includes(operator)) return ['', '.*', '^', '$', '^.*$', '.*?'].includes(pattern ?? 'none');
  return textOf(expression, 'kind') === 'AEXPR_NOT_DISTINCT' && sameOperands(expression);
}

function existsWithoutSource(sublink: Tree): boolean {
  if (textOf(sublink, 'subLinkType') !== 'EXISTS_SUBLINK') return false;
  const select = childOf(childOf(sublink, 'subselect'), 'SelectStmt');
  return (
    listOf(select, 'fromClause').length === 0 &&
    (select['whereClause'] === undefined || isAlwaysTrue(select['whereClause']))
  );
}

function operatorOf(expression: Tree): string {
  const name = listOf(expression, 'name').at(-1);
  return (isTree(name) ? textOf(childOf(name, 'String'), 'sval') : undefined) ?? '';
}

function sameOperands(expression: Tree): boolean {
  return expression['lexpr'] !== undefined && shape(expression['lexpr']) === shape(expression['rexpr']);
}

/** Two expressions of one shape are the same text but for where they stand. */
function shape(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'location' ? undefined : value));
}
