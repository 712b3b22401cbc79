/** What a reflector knows: the objects of one resource, and what changed. UIDs decide what is the same object. */
import { keyOf, type KubeObject } from './resource.ts';

export type Change<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly object: T; readonly before: T }
  | { readonly type: 'deleted'; readonly object: T };

export interface Cache<T> {
  get(key: string): T | undefined;
  all(): readonly T[];
  /** An object as it now is. One of the same name with another UID was deleted and created anew. */
  put(object: T): readonly Change<T>[];
  remove(object: T): readonly Change<T>[];
  /** The whole resource as it now is. */
  replace(objects: readonly T[]): readonly Change<T>[];
}

export function createCache<T extends KubeObject>(): Cache<T> {
  const known = new Map<string, T>();

  const put = (object: T): Change<T>[] => {
    const before = known.get(keyOf(object));
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion && isSame(before, object))
      return [];
    known.set(keyOf(object), object);
    if (before === undefined) return [{ type: 'added', object }];
    if (isSame(before, object)) return [{ type: 'updated', object, before }];
    return [
      { type: 'deleted', object: before },
      { type: 'added', object },
    ];
  };
  const remove = (object: T): Change<T>[] => {
    const before = known.get(keyOf(object));
    // The end of an object that has a successor already is old news.
    if (before === undefined || !isSame(before, object)) return [];
    known.delete(keyOf(object));
    return [{ type: 'deleted', object }];
  };

  return {
    get: (key) => known.get(key),
    all: () => [...known.values()],
    put,
    remove,
    replace: (objects) => {
      const kept = new Set(objects.map(keyOf));
      const gone = [...known.values()].filter((object) => !kept.has(keyOf(object)));
      return [...gone.flatMap(remove), ...objects.flatMap(put)];
    },
  };
}

function isSame(one: KubeObject, other: KubeObject): boolean {
  return one.metadata.uid === other.metadata.uid;
}
