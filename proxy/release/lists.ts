/** Takes out of a list what its reader may not see, and leaves every other byte as it was. */
import { elements, locate, members, removeElements, splice, type JsonSpan } from '../../lib/json/index.ts';
import type { Target } from '../exchange.ts';
import { textAt } from './server-message.ts';

interface ListKind {
  /** The member of `result` that holds the list. */
  readonly member: string;
  /** The member of an element that says what it is called. */
  readonly key: string;
  readonly target: (name: string) => Target;
}

const resource = (uri: string): Target => ({ kind: 'resource', uri });
const LISTS: ReadonlyMap<string, ListKind> = new Map([
  ['tools/list', { member: 'tools', key: 'name', target: (name) => ({ kind: 'tool', name }) }],
  ['prompts/list', { member: 'prompts', key: 'name', target: (name) => ({ kind: 'prompt', name }) }],
  ['resources/list', { member: 'resources', key: 'uri', target: resource }],
  ['resources/templates/list', { member: 'resourceTemplates', key: 'uriTemplate', target: resource }],
]);

/**
 * The answer to `method` without the elements that `shown` denies and those that do not say what they are.
 * Undefined where what should be a list is none, so that nobody can say what is in it. Only for validated text.
 */
export function filterList(
  text: string,
  method: string | undefined,
  shown: (target: Target, element: JsonSpan) => boolean,
): string | undefined {
  const kind = method === undefined ? undefined : LISTS.get(method);
  const list = kind && locate(text, ['result', kind.member]);
  if (kind === undefined || list === undefined) return text;
  if (text[list.start] !== '[') return undefined;
  const hidden = new Set<number>();
  elements(text, list).forEach((element, index) => {
    const name = memberText(text, element, kind.key);
    if (name === undefined || !shown(kind.target(name), element)) hidden.add(index);
  });
  return hidden.size === 0 ? text : splice(text, removeElements(text, list, hidden));
}

function memberText(text: string, element: JsonSpan, key: string): string | undefined {
  return textAt(text, members(text, element).find((member) => member.key === key)?.value);
}
