/** The Streamable HTTP endpoint: POST, and for legacy sessions GET and DELETE. */
import { randomUUID } from 'node:crypto';
import type {
  Caller,
  ClientMessage,
  ClientNotification,
  ClientRequest,
  ClientResponse,
  Identified,
} from '../exchange.ts';
import { locate } from '../../lib/json/index.ts';
import { forwardedHeaders } from '../lib/forwarded-headers.ts';
import { Refusal } from '../refusal.ts';
import { servePost } from '../serve-post.ts';
import { serveRequest } from '../serve.ts';
import type { Session } from '../session/sessions.ts';
import { BatchReply } from './batch-reply.ts';
import { readJsonBody } from './body.ts';
import { readMessages, requestOf, type Incoming } from './message.ts';
import { PostReply } from './post-reply.ts';
import { asRefusal, refuse, writeDown } from './refuse.ts';
import { revisionOf } from './revisions.ts';
import { checkLegacy, requireSession, revisionHeaders, sessionFor, singleHeader } from './session-of.ts';
import { openStandalone, resumeStream } from './streams.ts';
import type { Visit } from './visit.ts';

export async function serveStreamable(visit: Visit): Promise<void> {
  switch (visit.request.method) {
    case 'POST':
      return post(visit);
    case 'GET':
      return get(visit);
    case 'DELETE':
      return remove(visit);
    default:
      throw new Refusal('method_not_allowed', 'The MCP path takes POST, GET and DELETE.', {
        status: 405,
        as: -32600,
        headers: { Allow: 'GET, POST, DELETE' },
      });
  }
}

async function post(visit: Visit): Promise<void> {
  const { gateway, request } = visit;
  const caller = await gateway.identify(request);
  const incoming = readMessages(await readJsonBody(request, gateway.bundle.limits.maxBodyBytes));
  try {
    const revision = revisionOf(incoming, revisionHeaders(request));
    const session = sessionFor(incoming, { visit, caller, revision });
    await dispatch(incoming, { visit, caller, session });
  } catch (error) {
    // From here on the client's request is known, and its refusal carries its id.
    refuse(visit, error, { caller, request: requestOf(incoming.messages) });
  }
}

interface Guest {
  readonly visit: Visit;
  readonly caller: Caller;
  readonly session: Session;
}

async function dispatch(incoming: Incoming, guest: Guest): Promise<void> {
  const { messages, batch } = incoming;
  const requests = messages.filter((message) => message.kind === 'request');
  const others = messages.filter((message) => message.kind !== 'request');
  const exchanges = requests.map((message) => identified(message, guest));
  for (const exchange of exchanges) guest.visit.gateway.checkRate(exchange);
  for (const message of others) await (batch ? passOnInBatch(message, guest) : passOn(message, guest));
  const [only] = exchanges;
  if (only === undefined) {
    guest.visit.response.writeHead(202, { 'content-length': 0 }).end();
    return;
  }
  const reply = replyTo(only.message, guest);
  if (!batch) return call(only, reply, guest);
  // One refused element must not lose the answers to the others, so each is an exchange of its own (2025-03-26, *Batching*).
  const collected = new BatchReply(reply, exchanges.length);
  await Promise.all(exchanges.map((exchange) => call(exchange, collected.part(), guest)));
}

async function call(
  exchange: Identified<ClientRequest>,
  reply: PostReply | ReturnType<BatchReply['part']>,
  guest: Guest,
): Promise<void> {
  const { visit, session } = guest;
  const headers = forwardedHeaders(visit.request.headers);
  await serveRequest(exchange, { session, headers, reply, stopping: visit.stopping }, visit.gateway.serve);
  // An initialize that the server refused has named no session, so nobody could ever come back to it.
  if (exchange.message.method === 'initialize' && !session.named)
    visit.gateway.sessions.end(session, 'initialize was refused');
}

async function passOn(message: ClientNotification | ClientResponse, guest: Guest): Promise<void> {
  const { visit, session } = guest;
  await servePost(
    identified(message, guest),
    session,
    forwardedHeaders(visit.request.headers),
    visit.gateway.serve,
  );
}

async function passOnInBatch(message: ClientNotification | ClientResponse, guest: Guest): Promise<void> {
  try {
    await passOn(message, guest);
  } catch (error) {
    writeDown(guest.visit, asRefusal(error), { caller: guest.caller });
  }
}

function identified<M extends ClientMessage>(message: M, { visit, caller, session }: Guest): Identified<M> {
  return { exchange: randomUUID(), at: visit.at, message, caller, session };
}

/** A stream is named before anybody knows what it will say. */
function isError(answer: string | undefined): boolean {
  return answer !== undefined && locate(answer, ['error']) !== undefined;
}

function replyTo(message: ClientRequest, { visit, session }: Guest): PostReply {
  const { gateway, request, response } = visit;
  const opens = message.method === 'initialize' && session.explicit;
  return new PostReply(request, response, {
    era: session.era,
    // Only the answer to initialize names the session, and by then the server has named its own.
    headers: (answer) =>
      opens && !isError(answer) ? { 'mcp-session-id': gateway.sessions.seal(session, gateway.sealer) } : {},
    newStream: session.explicit ? () => gateway.sessions.newStream(session) : undefined,
  });
}

async function get(visit: Visit): Promise<void> {
  const { gateway, request } = visit;
  const caller = await gateway.identify(request);
  checkLegacy(request);
  const session = requireSession(visit, caller);
  const lastEventId = singleHeader(request, 'last-event-id');
  if (lastEventId !== undefined && resumeStream(visit, session, lastEventId)) return;
  await openStandalone(visit, { caller, session }, forwardedHeaders(request.headers));
}

async function remove(visit: Visit): Promise<void> {
  const { gateway, request, response } = visit;
  const caller = await gateway.identify(request);
  checkLegacy(request);
  const session = requireSession(visit, caller);
  const signal = AbortSignal.timeout(gateway.bundle.limits.callTimeoutMs);
  const status = await gateway.upstream.end({
    link: session.link,
    headers: forwardedHeaders(request.headers),
    signal,
  });
  // A server that keeps no sessions has none to end; ours ends all the same.
  if (status < 300 || status === 404 || status === 405) gateway.sessions.end(session, 'ended by the client');
  response.writeHead(status < 300 || status === 404 || status === 405 ? 200 : status).end();
}
