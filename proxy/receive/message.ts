/** Text from a client → classified JSON-RPC messages. */
import { JsonTextError, elements, locate, parseJson } from '../../lib/json/index.ts';
import type { ClientMessage, ClientRequest, RequestId, Target } from '../exchange.ts';
import { Refusal } from '../refusal.ts';

/** A body: one message, or a batch of them (2025-03-26). */
export interface Incoming {
  readonly batch: boolean;
  readonly messages: readonly ClientMessage[];
}

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const MAX_BATCH = 100;

/** Reads a body. Throws a Refusal with the JSON-RPC error that the fault calls for. */
export function readMessages(text: string): Incoming {
  const value = parse(text);
  if (!Array.isArray(value)) return { batch: false, messages: [classify(value, text)] };
  if (value.length === 0) throw invalid('The batch is empty.');
  if (value.length > MAX_BATCH)
    throw invalid(`The batch has ${value.length} messages; at most ${MAX_BATCH} are taken.`);
  const spans = elements(text, locate(text, []) ?? { start: 0, end: 0 });
  const messages = spans.map((span, index) => classify(value[index], text.slice(span.start, span.end)));
  if (messages.some((message) => message.kind === 'request' && message.method === 'initialize')) {
    throw invalid('initialize may not be part of a batch.');
  }
  return { batch: true, messages };
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const code =
      error.code === 'json_invalid' || error.code === 'json_not_utf8' ? PARSE_ERROR : INVALID_REQUEST;
    throw new Refusal('bad_request', error.message, { status: 400, as: code, cause: error });
  }
}

function classify(value: unknown, text: string): ClientMessage {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') {
    throw invalid('The body is JSON but not a JSON-RPC 2.0 message: it needs "jsonrpc": "2.0".');
  }
  if (typeof value['method'] === 'string') return classifyCall(value, value['method'], text);
  if ('result' in value !== 'error' in value && isId(value['id']))
    return { kind: 'response', id: value['id'], text };
  throw invalid('The body is neither a JSON-RPC request, nor a notification, nor a response.');
}

function classifyCall(value: Record<string, unknown>, method: string, text: string): ClientMessage {
  const params = value['params'] ?? {};
  if (!isObject(params)) throw invalid('The "params" of an MCP message are an object.');
  if (!('id' in value)) return { kind: 'notification', method, params, text };
  if (!isId(value['id'])) throw invalid('The "id" of an MCP request is a string or an integer.');
  return { kind: 'request', id: value['id'], method, target: targetOf(method, params), params, text };
}

/** What a request wants to reach, where its method reaches something by name. */
export function targetOf(method: string, params: Readonly<Record<string, unknown>>): Target | undefined {
  const { name, uri } = params;
  if (method === 'tools/call' && typeof name === 'string') return { kind: 'tool', name };
  if (method === 'prompts/get' && typeof name === 'string') return { kind: 'prompt', name };
  const byUri =
    method === 'resources/read' || method === 'resources/subscribe' || method === 'resources/unsubscribe';
  if (byUri && typeof uri === 'string') return { kind: 'resource', uri };
  return undefined;
}

/** The part of a refused body that a client needs to match the refusal to its request. */
export function requestOf(messages: readonly ClientMessage[]): ClientRequest | undefined {
  return messages.find((message) => message.kind === 'request');
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { status: 400, as: INVALID_REQUEST });
}
