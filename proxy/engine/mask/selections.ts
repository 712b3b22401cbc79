/** Which values of a JSON text are selected, or excluded, by where they lie: by JSONPath and by column. */
import { locationsOf } from './json-path.ts';
import type { Plan, Use } from './plan.ts';
import type { CompiledPolicy } from './policy.ts';

type Step = string | number;

/** A trie over the steps from the root of the text. What holds for a value holds for all that is in it. */
export interface Selections {
  readonly children: Map<Step, Selections>;
  readonly selected: Use[];
  readonly excluded: CompiledPolicy[];
}

/** Undefined where the plan selects nothing by place. Each root is a value that a JSONPath may begin at. */
export function selectionsOf(
  plan: Plan,
  value: unknown,
  roots: readonly (readonly string[])[],
): Selections | undefined {
  if (!plan.selectsByPlace) return undefined;
  const trie = emptySelections();
  for (const root of roots) {
    const within = root.reduce(member, value);
    if (within === undefined) continue;
    for (const { query, use } of plan.selecting) {
      for (const location of locationsOf(query, within))
        descend(trie, [...root, ...location]).selected.push(use);
    }
    for (const { query, policy } of plan.excluding) {
      for (const location of locationsOf(query, within))
        descend(trie, [...root, ...location]).excluded.push(policy);
    }
  }
  if (plan.hasColumns) selectColumns(plan, trie, value, []);
  return trie;
}

function emptySelections(): Selections {
  return { children: new Map(), selected: [], excluded: [] };
}

function descend(trie: Selections, steps: readonly Step[]): Selections {
  let at = trie;
  for (const step of steps) {
    const next = at.children.get(step) ?? emptySelections();
    at.children.set(step, next);
    at = next;
  }
  return at;
}

const HEADER_KEYS = ['columns', 'fields', 'headers'];
const ROW_KEYS = ['rows', 'data', 'values'];

/** Finds tables written as rows of cells: `{columns, rows}` as database drivers give it, or a first row of names. */
function selectColumns(plan: Plan, trie: Selections, value: unknown, path: readonly Step[]): void {
  if (Array.isArray(value)) {
    selectCells(plan, trie, { header: value[0], rows: value.slice(1), path, firstRow: 1 });
    for (const [index, item] of value.entries())
      if (isContainer(item)) selectColumns(plan, trie, item, [...path, index]);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const header = HEADER_KEYS.map((key) => member(value, key)).find(Array.isArray);
  for (const key of ROW_KEYS) {
    selectCells(plan, trie, { header, rows: member(value, key), path: [...path, key], firstRow: 0 });
  }
  for (const key of Object.keys(value)) {
    const item = member(value, key);
    if (isContainer(item)) selectColumns(plan, trie, item, [...path, key]);
  }
}

/** Most values are none, and need no path. */
function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

interface Table {
  readonly header: unknown;
  readonly rows: unknown;
  readonly path: readonly Step[];
  readonly firstRow: number;
}

function selectCells(plan: Plan, trie: Selections, { header, rows, path, firstRow }: Table): void {
  if (!Array.isArray(header) || !Array.isArray(rows)) return;
  const columns = header
    .map((cell, index) => ({ index, uses: plan.columnUses(columnName(cell)) }))
    .filter(({ uses }) => uses.length > 0);
  if (columns.length === 0) return;
  for (const [at, row] of rows.entries()) {
    if (!Array.isArray(row)) continue;
    for (const { index, uses } of columns)
      descend(trie, [...path, firstRow + at, index]).selected.push(...uses);
  }
}

/** A column is given by its name, or by an object that has one. */
function columnName(cell: unknown): string {
  const name = typeof cell === 'string' ? cell : member(cell, 'name');
  return typeof name === 'string' ? name : '';
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}
