/**
 * What a server may ask of its clients: sampling, elicitation, roots. A gateway names what it lets through; the rest is
 * neither announced to the server nor passed on, whether it comes as a request, inside a result (2026-07-28, *Multi
 * Round-Trip Requests*) or inside an error (2025-11-25, *URL Mode Elicitation*).
 */
import type { ClientFeature } from '../../crds/bundle.ts';
import { locate, mayHaveKey, members, stringValue, type JsonSpan } from '../../lib/json/index.ts';
import type { ClientMessage } from '../exchange.ts';
import { removeMember } from '../lib/edit.ts';

export type Allowed = ReadonlySet<ClientFeature>;

const FEATURE_OF: ReadonlyMap<string, ClientFeature> = new Map([
  ['sampling/createMessage', 'Sampling'],
  ['elicitation/create', 'Elicitation'],
  ['roots/list', 'Roots'],
]);

/** The member of the client's capabilities that announces each. */
const CAPABILITY: Readonly<Record<ClientFeature, string>> = {
  Sampling: 'sampling',
  Elicitation: 'elicitation',
  Roots: 'roots',
};
const FEATURES: readonly ClientFeature[] = ['Sampling', 'Elicitation', 'Roots'];
const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

/** Whether a server may send such a request. */
export function mayAsk(method: string, allowed: Allowed): boolean {
  if (method === 'ping') return true;
  const feature = FEATURE_OF.get(method);
  if (feature !== undefined) return allowed.has(feature);
  // A task on the client's side (2025-11-25) is a sampling or an elicitation that goes on.
  return method.startsWith('tasks/') && (allowed.has('Sampling') || allowed.has('Elicitation'));
}

/** What a message asks of the client beside its method, and may not; undefined where there is nothing. Only for validated text. */
export function forbiddenQuestion(text: string, allowed: Allowed): string | undefined {
  return (
    forbiddenInput(text, ['result', 'inputRequests'], allowed) ??
    forbiddenInput(text, ['params', 'inputRequests'], allowed) ??
    (isAskedByError(text) && !allowed.has('Elicitation') ? 'elicitation/create' : undefined)
  );
}

function forbiddenInput(text: string, path: readonly string[], allowed: Allowed): string | undefined {
  if (!mayHaveKey(text, 'inputRequests')) return undefined;
  const span = locate(text, path);
  if (span === undefined || text.slice(span.start, span.end) === 'null') return undefined;
  if (text[span.start] !== '{') return nameOf(undefined);
  for (const { value } of members(text, span)) {
    const method = memberText(text, value, 'method');
    if (method === undefined || !mayAsk(method, allowed)) return nameOf(method);
  }
  return undefined;
}

/** The server chooses what stands there, so only names that are known are repeated. */
function nameOf(method: string | undefined): string {
  return method !== undefined && FEATURE_OF.has(method) ? method : 'something that no gateway can allow';
}

function isAskedByError(text: string): boolean {
  if (!mayHaveKey(text, 'elicitations')) return false;
  return locate(text, ['error', 'data', 'elicitations']) !== undefined;
}

function memberText(text: string, object: JsonSpan, key: string): string | undefined {
  const span = members(text, object).find((member) => member.key === key)?.value;
  return span !== undefined && text[span.start] === '"' ? stringValue(text, span.start, span.end) : undefined;
}

/** The client's message as the server is to see it: it announces nothing that the server may not ask for. */
export function withoutForbidden(message: ClientMessage, allowed: Allowed): string {
  if (message.kind !== 'request' || FEATURES.every((feature) => allowed.has(feature))) return message.text;
  const capabilities =
    message.method === 'initialize' ? ['params', 'capabilities'] : ['params', '_meta', CLIENT_CAPABILITIES];
  const forbidden = FEATURES.filter((feature) => !allowed.has(feature))
    .map((feature) => CAPABILITY[feature])
    .filter((name) => mayHaveKey(message.text, name));
  return forbidden.reduce(
    (text, name) =>
      removeMember(removeMember(text, capabilities, name), [...capabilities, 'tasks', 'requests'], name),
    message.text,
  );
}
