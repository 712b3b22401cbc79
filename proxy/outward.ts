/**
 * What the server does on its own while it works for a caller: whose its outbound calls are, one session at a time where
 * that would not be certain, and what is written down of them.
 */
import type { Bundle } from '#bundle';
import { randomBytes } from 'node:crypto';
import type { ClientRequest, Credentialed } from './exchange.ts';
import type { Turns } from './session/turns.ts';
import { traceIdOf, type WhoseCall } from './session/whose-call.ts';

type Headers = Readonly<Record<string, string>>;

/** A request that is at the server. */
export interface Entered {
  /** What the client sent, with a trace that the server may pass on. */
  readonly headers: Headers;
  /** Says that the server is done with it. May be called more than once. */
  readonly leave: () => void;
}

/** Lets a request to the server, when it is its turn. Throws a Refusal when that does not come. */
export type Enter = (
  exchange: Credentialed<ClientRequest>,
  headers: Headers,
  signal: AbortSignal,
) => Promise<Entered>;

/** What makes a server call elsewhere: what it only knows by itself needs no turn. */
const WORK = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete']);

export function createEnter(
  bundle: Pick<Bundle, 'credentials' | 'server'>,
  { whoseCall, turns }: { readonly whoseCall: WhoseCall; readonly turns: Turns },
): Enter {
  const outward = bundle.credentials.filter(({ inject }) => 'egress' in inject || 'postgres' in inject);
  // Nothing is lent to outbound calls: whose they are makes no difference.
  if (outward.length === 0)
    return (_exchange, headers) => Promise.resolve({ headers, leave: () => undefined });
  // A stdio server is a process a session, which its placeholder tells apart.
  const takesTurns =
    bundle.server.transport !== 'Stdio' &&
    outward.some(({ scope, whenShared }) => scope !== 'Pod' && whenShared === 'Queue');

  return async (exchange, headers, signal) => {
    const { method } = exchange.message;
    const endTurn =
      takesTurns && WORK.has(method) ? await turns.enter(exchange.session.id, signal) : undefined;
    const traced = traceIdOf(headers['traceparent']) === undefined ? { ...headers, ...newTrace() } : headers;
    const end = whoseCall.begin({
      exchange,
      approval: exchange.approval,
      traceId: traceIdOf(traced['traceparent']),
    });
    return {
      headers: traced,
      leave: () => {
        end();
        endTurn?.();
      },
    };
  };
}

/** W3C Trace Context, 3.2: version, trace id, span id, not sampled. */
function newTrace(): Headers {
  const id = (bytes: number): string => randomBytes(bytes).toString('hex');
  return { traceparent: `00-${id(16)}-${id(8)}-00` };
}
