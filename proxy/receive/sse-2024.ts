/** HTTP+SSE of 2024-11-05: one event stream a client, and an endpoint of its own for what the client sends. */
import { randomUUID } from 'node:crypto';
import { StreamMemory } from '../engine/mask/index.ts';
import type { Caller, ClientMessage, ClientRequest, Identified } from '../exchange.ts';
import { forwardedHeaders } from '../lib/forwarded-headers.ts';
import { formatEvent } from '../lib/sse.ts';
import { Refusal } from '../refusal.ts';
import { relayUnsolicited, type UnsolicitedDeps } from '../relay.ts';
import type { Reply } from '../reply.ts';
import { servePost } from '../serve-post.ts';
import { serveRequest } from '../serve.ts';
import type { Session } from '../session/sessions.ts';
import { readJsonBody } from './body.ts';
import { EventResponse } from './event-response.ts';
import { readMessages } from './message.ts';
import { goneSignal } from './post-reply.ts';
import { endWhenStopping, type Visit } from './visit.ts';

const REVISION = '2024-11-05';
const PARAMETER = 'sessionId';

/** The open event streams, by session; a session of this transport is its stream. */
const listeners = new WeakMap<Session, Listener>();

interface Listener {
  readonly events: EventResponse;
  readonly gone: AbortSignal;
}

export async function serveSse2024(visit: Visit, prefix: string): Promise<void> {
  switch (visit.request.method) {
    case 'GET':
      return open(visit, prefix);
    case 'POST':
      return receive(visit);
    default:
      throw new Refusal(
        'method_not_allowed',
        'This path takes GET for the event stream and POST for messages.',
        { status: 405, as: -32600, headers: { Allow: 'GET, POST' } },
      );
  }
}

async function open(visit: Visit, prefix: string): Promise<void> {
  const { gateway, request, response } = visit;
  const caller = await gateway.identify(request);
  const session = gateway.sessions.open(caller, REVISION);
  const gone = goneSignal(response);
  const headers = forwardedHeaders(request.headers);
  try {
    const answer = await gateway.upstream.stream({
      link: session.link,
      headers,
      signal: gone,
      lastEventId: undefined,
    });
    if (answer.kind !== 'stream')
      throw new Refusal('upstream_invalid', 'The MCP server opened no event stream.', {
        status: 502,
        as: -32603,
      });
    const events = new EventResponse(response);
    listeners.set(session, { events, gone });
    events.begin({});
    endWhenStopping(visit, () => events.end());
    const name = gateway.sessions.seal(session, gateway.sealer);
    await events.write(
      formatEvent({ event: 'endpoint', data: `${prefix}${gateway.bundle.server.path}?${PARAMETER}=${name}` }),
    );
    await relayUnsolicited(
      answer.events,
      { caller, session, stream: new StreamMemory() },
      ({ data }) => events.write(message(data)),
      relayDeps(visit, { caller, session, headers }),
    );
    events.end();
  } finally {
    gateway.sessions.end(session, gone.aborted ? 'the client hung up' : 'the server closed the stream');
  }
}

function relayDeps(
  { gateway }: Visit,
  to: { caller: Caller; session: Session; headers: Readonly<Record<string, string>> },
): UnsolicitedDeps {
  const { stages, journal, upstream, check } = gateway.serve;
  return {
    check,
    release: (text, recipient) => stages.release(text, recipient),
    passed: (method, released) => journal.passed('server', to, method, released),
    answerServer: (text) =>
      void upstream
        .post({ link: to.session.link, text, headers: to.headers, signal: AbortSignal.timeout(10_000) })
        .catch(() => undefined),
  };
}

async function receive(visit: Visit): Promise<void> {
  const { gateway, request, response } = visit;
  const caller = await gateway.identify(request);
  const name = new URL(request.url ?? '/', 'http://localhost').searchParams.get(PARAMETER) ?? '';
  const session = gateway.sessions.find(name, caller, gateway.sealer, (link) =>
    gateway.upstream.resumable(link),
  );
  const listener = listeners.get(session);
  if (listener === undefined)
    throw new Refusal('session_not_found', 'The event stream of this session is closed; connect again.', {
      status: 404,
      as: -32001,
    });
  const { messages } = readMessages(await readJsonBody(request, gateway.bundle.limits.maxBodyBytes));
  const headers = forwardedHeaders(request.headers);
  const reply = replyOn(listener);
  const exchanges = messages.map((one): Identified => ({
    exchange: randomUUID(),
    at: visit.at,
    message: one,
    caller,
    session,
  }));
  for (const exchange of exchanges) gateway.checkRate(exchange);
  // The answers come over the event stream, however long they take.
  response.writeHead(202, { 'content-length': 0 }).end();
  await Promise.all(exchanges.map((exchange) => serve(exchange, { visit, session, headers, reply })));
}

async function serve(
  exchange: Identified,
  {
    visit,
    session,
    headers,
    reply,
  }: { visit: Visit; session: Session; headers: Readonly<Record<string, string>>; reply: Reply },
): Promise<void> {
  const deps = visit.gateway.serve;
  const { message: body } = exchange;
  if (isRequest(body)) {
    const { stopping } = visit;
    return serveRequest({ ...exchange, message: body }, { session, headers, reply, stopping }, deps);
  }
  try {
    await servePost({ ...exchange, message: body }, session, headers, deps);
  } catch (error) {
    deps.log.info({ err: error }, 'a message of a client was not passed on');
  }
}

function isRequest(body: ClientMessage): body is ClientRequest {
  return body.kind === 'request';
}

function replyOn({ events, gone }: Listener): Reply {
  return {
    gone,
    begin: () => undefined,
    keepAlive: () => events.keepAlive(),
    event: (text) => events.write(message(text)),
    hint: () => undefined,
    answer: (text) => events.write(message(text)),
    suspend: () => false,
  };
}

function message(data: string): string {
  return formatEvent({ event: 'message', data });
}
