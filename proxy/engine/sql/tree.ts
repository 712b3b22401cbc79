/** Syntax trees arrive as JSON of shapes that differ by statement; these guards read them without trusting them. */
export type Tree = Readonly<Record<string, unknown>>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member as a tree, empty where it is none. */
export function childOf(tree: Tree, key: string): Tree {
  const child = tree[key];
  return isTree(child) ? child : {};
}

export function listOf(tree: Tree, key: string): readonly unknown[] {
  const list = tree[key];
  return Array.isArray(list) ? list : [];
}

export function textOf(tree: Tree, key: string): string | undefined {
  const text = tree[key];
  return typeof text === 'string' ? text : undefined;
}
