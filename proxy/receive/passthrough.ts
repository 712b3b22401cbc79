/** Paths beside the MCP path that a gateway lets through: identified, masked as text and recorded like everything else. */
import { because } from '../../lib/sentence.ts';
import { randomUUID } from 'node:crypto';
import type { ClientNotification, Identified } from '../exchange.ts';
import type { Gateway, PassthroughAnswer } from '../gateway.ts';
import { Refusal } from '../refusal.ts';
import type { Visit } from './visit.ts';

interface Passage {
  readonly path: string;
  readonly methods: readonly string[];
}

export async function servePassthrough(visit: Visit, passage: Passage): Promise<void> {
  const { gateway, request, response } = visit;
  const caller = await gateway.identify(request);
  const method = request.method ?? 'GET';
  if (!passage.methods.includes(method)) {
    throw new Refusal('method_not_allowed', `This path passes ${passage.methods.join(', ')}.`, {
      status: 405,
      as: -32600,
      headers: { Allow: passage.methods.join(', ') },
    });
  }
  const session = gateway.sessions.implicit(caller, 'legacy', 'http');
  const exchange: Identified<ClientNotification> = {
    exchange: randomUUID(),
    at: visit.at,
    caller,
    session,
    message: asMessage(method, passage.path),
  };
  gateway.checkRate(exchange);
  gateway.journal.checkReady();
  await gateway.journal.fromClient(exchange, 'http');
  const query = (request.url ?? '').split('?').slice(1).join('?');
  const answer = await gateway.passthrough({
    exchange,
    request,
    response,
    path: query === '' ? passage.path : `${passage.path}?${query}`,
  });
  const body = await maskedBody(answer, gateway);
  const headers = maskedHeaders(answer.headers, gateway);
  gateway.journal.ended({ method: 'http', decision: 'allow', code: 'ok', startedAt: visit.at });
  response.writeHead(answer.status, { ...headers, 'content-length': body.length });
  response.end(body);
}

/** The record speaks of messages; a request that is none is written down as a notification of its own kind. */
function asMessage(method: string, path: string): ClientNotification {
  const params = { method, path };
  return {
    kind: 'notification',
    method: 'http',
    params,
    text: JSON.stringify({ jsonrpc: '2.0', method: 'http', params }),
  };
}

async function maskedBody(
  { body, headers }: PassthroughAnswer,
  { journal, masker }: Gateway,
): Promise<Buffer> {
  const type = headers['content-type'];
  const mimeType = typeof type === 'string' ? type : undefined;
  const outcome = await masker.body(body, mimeType, { purpose: 'release' });
  journal.counted(outcome);
  if (outcome.kind === 'released') return outcome.body;
  throw new Refusal('withheld', because('The answer was withheld', outcome.reason), {
    status: 502,
    as: 4403,
  });
}

function maskedHeaders(
  headers: Readonly<Record<string, string | string[]>>,
  { masker }: Gateway,
): Record<string, string | string[]> {
  const mask = (value: string): string => {
    const outcome = masker.text(value, { purpose: 'release' });
    return outcome.kind === 'released' ? outcome.text : '[withheld]';
  };
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(mask) : mask(value),
    ]),
  );
}
