/** The JSON Patch (RFC 6902) that turns one JSON document into another. Empty where they are equal. */

export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** What differs inside of two lists is told by index; lists that are longer or shorter at one place keep the rest. */
export function diff(from: unknown, to: unknown, path = ''): Operation[] {
  if (Object.is(from, to)) return [];
  if (Array.isArray(from) && Array.isArray(to)) return diffLists(from, to, path);
  if (isObject(from) && isObject(to)) return diffObjects(from, to, path);
  return [{ op: 'replace', path, value: to }];
}

type JsonObject = Readonly<Record<string, unknown>>;

function diffObjects(from: JsonObject, to: JsonObject, path: string): Operation[] {
  const removed = Object.keys(from).filter((key) => !isThere(to, key));
  return [
    ...removed.map((key): Operation => ({ op: 'remove', path: below(path, key) })),
    ...Object.keys(to)
      .filter((key) => isThere(to, key))
      .flatMap((key): Operation[] =>
        Object.hasOwn(from, key)
          ? diff(from[key], to[key], below(path, key))
          : [{ op: 'add', path: below(path, key), value: to[key] }],
      ),
  ];
}

/** Members without a value are not there: JSON has no undefined. */
function isThere(object: JsonObject, key: string): boolean {
  return Object.hasOwn(object, key) && object[key] !== undefined;
}

function diffLists(from: readonly unknown[], to: readonly unknown[], path: string): Operation[] {
  const start = commonStart(from, to);
  const end = commonStart(from.slice(start).reverse(), to.slice(start).reverse());
  const before = from.slice(start, from.length - end);
  const after = to.slice(start, to.length - end);
  const shared = Math.min(before.length, after.length);
  const at = (index: number): string => below(path, String(start + index));
  return [
    ...before.slice(0, shared).flatMap((item, index) => diff(item, after[index], at(index))),
    // From the back, so that no removal moves what the next one names.
    ...before
      .slice(shared)
      .map((_, index): Operation => ({ op: 'remove', path: at(before.length - 1 - index) })),
    ...after.slice(shared).map((value, index): Operation => ({ op: 'add', path: at(shared + index), value })),
  ];
}

function commonStart(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index < length && diff(a[index], b[index]).length === 0) index += 1;
  return index;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function below(path: string, key: string): string {
  return `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
