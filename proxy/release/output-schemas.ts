/** What tools promise of their structured results, learnt from the lists that pass by. */
import { elements, locate, members } from '../../lib/json/index.ts';
import { textAt } from './server-message.ts';

/** Name of a tool → its outputSchema. One a gateway, kept by whoever keeps the gateway. */
export type OutputSchemas = Map<string, unknown>;

/** A server may list whatever it likes; what is beyond this many tools goes without. */
const MAX_TOOLS = 4096;

/** Takes in the answer to tools/list. A tool that no longer promises anything is forgotten. Only for validated text. */
export function learnOutputSchemas(schemas: OutputSchemas, text: string): void {
  const list = locate(text, ['result', 'tools']);
  if (list === undefined) return;
  for (const element of elements(text, list)) {
    const found = new Map(members(text, element).map(({ key, value }) => [key, value]));
    const name = textAt(text, found.get('name'));
    const schema = found.get('outputSchema');
    if (name === undefined) continue;
    if (schema === undefined) schemas.delete(name);
    else if (schemas.size < MAX_TOOLS || schemas.has(name)) {
      schemas.set(name, JSON.parse(text.slice(schema.start, schema.end)));
    }
  }
}
