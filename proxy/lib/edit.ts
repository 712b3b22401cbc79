/** Edits of a JSON-RPC message that leave every other byte as it came. */
import { locate, members, splice } from '../../lib/json/index.ts';

/** Removes a member of the object at `path`, with its comma. The text stays as it is where there is none. */
export function removeMember(text: string, path: readonly string[], key: string): string {
  const object = locate(text, path);
  if (object === undefined) return text;
  const all = members(text, object);
  const index = all.findIndex((member) => member.key === key);
  const found = all[index];
  if (found === undefined) return text;
  const next = all[index + 1];
  const previous = all[index - 1];
  if (next !== undefined)
    return splice(text, [{ start: found.keySpan.start, end: next.keySpan.start, text: '' }]);
  const start = previous === undefined ? found.keySpan.start : previous.value.end;
  return splice(text, [{ start, end: found.value.end, text: '' }]);
}

/** Replaces the value at `path`. The text stays as it is where there is none. */
export function replaceValue(text: string, path: readonly string[], value: unknown): string {
  const span = locate(text, path);
  return span === undefined ? text : splice(text, [{ ...span, text: JSON.stringify(value) }]);
}
