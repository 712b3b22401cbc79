/** The definition of a tool, as a client shows it to its model, in one digest. */
import { hash } from 'node:crypto';
import { canonicalJson, members, stringValue, type JsonSpan } from '../../lib/json/index.ts';

/** What a model or a person is told of a tool; icons and `_meta` are not. */
const DEFINING = new Set(['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations']);

export interface ToolDefinition {
  readonly name: string;
  /** `sha256:` and the hex SHA-256 over canonical JSON (lib/json/canonical.ts) of what defines it. */
  readonly digest: string;
}

/** The definition at `span`, undefined where nothing with a name stands there. Only for validated text. */
export function toolDefinition(text: string, span: JsonSpan): ToolDefinition | undefined {
  const defining = members(text, span).filter(({ key }) => DEFINING.has(key));
  const named = defining.find(({ key }) => key === 'name')?.value;
  if (named === undefined || text[named.start] !== '"') return undefined;
  const parts = defining.map(
    ({ key, value }) => `${JSON.stringify(key)}:${text.slice(value.start, value.end)}`,
  );
  const digest = hash('sha256', canonicalJson(`{${parts.join(',')}}`), 'hex');
  return { name: stringValue(text, named.start, named.end), digest: `sha256:${digest}` };
}
