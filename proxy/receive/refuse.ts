/** A refusal that came before, or outside of, one exchange: written down and sent in the client's own terms. */
import { randomUUID } from 'node:crypto';
import type { Caller, ClientRequest } from '../exchange.ts';
import type { Gateway } from '../gateway.ts';
import { Refusal } from '../refusal.ts';
import type { Visit } from './visit.ts';

export interface Known {
  readonly caller?: Caller;
  readonly request?: ClientRequest | undefined;
}

export function refuse(visit: Visit, error: unknown, known: Known = {}): void {
  const { gateway, request, response } = visit;
  const refusal = asRefusal(error);
  writeDown(visit, refusal, known);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = bodyOf(refusal, gateway, known);
  response.writeHead(statusOf(refusal), {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...refusal.headers,
  });
  response.end(body);
  // What is left of a body that nobody reads would hold the connection.
  if (!request.complete) request.resume();
}

/** Records and counts a refusal. */
export function writeDown({ gateway, at }: Visit, refusal: Refusal, { caller, request }: Known): void {
  if (refusal.code === 'internal')
    gateway.serve.log.error({ err: refusal.cause }, 'a request failed inside the proxy');
  gateway.journal.refused({ exchange: randomUUID(), ...(caller === undefined ? {} : { caller }) }, refusal);
  gateway.journal.ended({ method: request?.method, decision: 'none', code: refusal.code, startedAt: at });
}

function bodyOf(refusal: Refusal, { masker, refusalMessage }: Gateway, { request }: Known): string {
  const outcome = masker.text(refusalMessage(refusal, request, 'legacy'), { purpose: 'release' });
  return outcome.kind === 'released' ? outcome.text : WITHHELD;
}

const WITHHELD = '{"jsonrpc":"2.0","id":null,"error":{"code":4403,"message":"Refused."}}';

/** A refusal that JSON-RPC would carry, of a body that is no single request, is a refusal of the whole body. */
function statusOf({ status, as }: Refusal): number {
  return status === 200 && as !== 'tool' ? 400 : status;
}

export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal('internal', 'The gateway failed while it handled this request; its log says why.', {
    status: 500,
    as: -32603,
    cause: error,
  });
}
