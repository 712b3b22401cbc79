/** What a message of the MCP server is, read off its text without building the whole value. */
import { locate, mayHaveKey, stringValue, type JsonSpan } from '../../lib/json/index.ts';

/** `id` is the raw JSON text, so that it goes back as it came. */
export type ServerMessage =
  | { readonly kind: 'response'; readonly id: string }
  | { readonly kind: 'request'; readonly id: string; readonly method: string }
  | { readonly kind: 'notification'; readonly method: string };

/** Classifies validated JSON text. What is no JSON-RPC message at all passes for a response without an id. */
export function readServerMessage(text: string): ServerMessage {
  const id = locate(text, ['id']);
  const method = mayHaveKey(text, 'method') ? textAt(text, locate(text, ['method'])) : undefined;
  if (method === undefined) return { kind: 'response', id: rawAt(text, id) ?? 'null' };
  return id === undefined
    ? { kind: 'notification', method }
    : { kind: 'request', id: text.slice(id.start, id.end), method };
}

/** The `uri` of a notification about a resource; empty where it names none, which no rule grants. */
export function resourceOf(text: string): string {
  return textAt(text, locate(text, ['params', 'uri'])) ?? '';
}

/** The string at `span`, undefined where there is none or something else stands there. */
export function textAt(text: string, span: JsonSpan | undefined): string | undefined {
  return span !== undefined && text[span.start] === '"' ? stringValue(text, span.start, span.end) : undefined;
}

function rawAt(text: string, span: JsonSpan | undefined): string | undefined {
  return span && text.slice(span.start, span.end);
}
