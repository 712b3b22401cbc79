/** Event streams of legacy sessions that a GET opens or takes up again. */
import { StreamMemory } from '../engine/mask/index.ts';
import type { Caller } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import type { SseEvent } from '../lib/sse.ts';
import { relayUnsolicited } from '../relay.ts';
import { parseEventId, type EventStream } from '../session/event-stream.ts';
import type { Session } from '../session/sessions.ts';
import { EventResponse } from './event-response.ts';
import { acceptsEvents } from './post-reply.ts';
import { endWhenStopping, type Visit } from './visit.ts';

/** How long a stream of server messages is kept open upstream for a client that hung up. */
const GRACE_MS = 60_000;

/** Goes on with a stream after an event that the client has. False when the stream is not kept any more. */
export function resumeStream(visit: Visit, session: Session, lastEventId: string): boolean {
  const place = parseEventId(lastEventId);
  const stream = place === undefined ? undefined : session.streams.get(place.stream);
  if (place === undefined || stream === undefined) return false;
  listen(visit, stream, place.seq);
  return true;
}

/** Opens the stream of what belongs to no request; one that is still open upstream is taken over. */
export async function openStandalone(
  visit: Visit,
  guest: { caller: Caller; session: Session },
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { gateway, request } = visit;
  const { session, caller } = guest;
  if (!acceptsEvents(request.headers.accept)) {
    throw new Refusal(
      'not_acceptable',
      'A GET on the MCP path opens an event stream; send Accept: text/event-stream.',
      { status: 406, as: -32000 },
    );
  }
  if (session.standalone !== undefined && !session.standalone.ended) {
    listen(visit, session.standalone, session.standalone.heardUpTo);
    return;
  }
  const source: Source = { visit, caller, session, headers, stream: new StreamMemory() };
  const opened = await openUpstream(source, undefined);
  const stream = gateway.sessions.newStream(session);
  session.standalone = stream;
  listen(visit, stream, 0);
  void pump(opened, stream, source);
}

/** Whose stream it is, and what its request takes along to the server. */
interface Source {
  readonly visit: Visit;
  readonly caller: Caller;
  readonly session: Session;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: StreamMemory;
}

interface Opened {
  readonly events: AsyncIterable<SseEvent>;
  readonly hangUp: AbortController;
}

async function openUpstream(source: Source, lastEventId: string | undefined): Promise<Opened> {
  const { visit, session, headers } = source;
  const hangUp = new AbortController();
  const answer = await visit.gateway.upstream.stream({
    link: session.link,
    headers,
    signal: hangUp.signal,
    lastEventId,
  });
  if (answer.kind === 'stream') return { events: answer.events, hangUp };
  throw new Refusal('method_not_allowed', 'This MCP server offers no event stream of its own.', {
    status: 405,
    as: -32000,
    headers: { Allow: 'POST, DELETE' },
  });
}

function listen(visit: Visit, stream: EventStream, afterSeq: number): void {
  const { response } = visit;
  const events = new EventResponse(response);
  events.begin({});
  stream.attach(events, afterSeq);
  endWhenStopping(visit, () => events.end());
  response.once('close', () => stream.detach(events));
}

function closeWhenAbandoned(stream: EventStream, hangUp: AbortController): void {
  stream.onDetach = () => {
    setTimeout(() => {
      if (!stream.attached) hangUp.abort();
    }, GRACE_MS).unref();
  };
}

/** Hands on what the server says. When the server closes the stream, the client is to come back, and then so do we (2025-11-25). */
async function pump({ events, hangUp }: Opened, stream: EventStream, source: Source): Promise<void> {
  const { stages, journal, upstream, check, log } = source.visit.gateway.serve;
  const { session, headers } = source;
  let lastEventId: string | undefined;
  closeWhenAbandoned(stream, hangUp);
  try {
    await relayUnsolicited(
      events,
      source,
      (event) => {
        lastEventId = event.id ?? lastEventId;
        return stream.push(event);
      },
      {
        check,
        release: (text, recipient) => stages.release(text, recipient),
        passed: (method, released) => journal.passed('server', source, method, released),
        answerServer: (text) =>
          void upstream
            .post({ link: session.link, text, headers, signal: AbortSignal.timeout(10_000) })
            .catch(() => undefined),
      },
    );
  } catch (error) {
    log.debug({ err: error }, 'a stream of server messages ended');
  }
  stream.suspend(() => void reopen(lastEventId, stream, source));
}

async function reopen(lastEventId: string | undefined, stream: EventStream, source: Source): Promise<void> {
  const { gateway } = source.visit;
  try {
    await pump(await openUpstream(source, lastEventId), stream, source);
  } catch (error) {
    gateway.serve.log.debug({ err: error }, 'a stream of server messages was not opened again');
    stream.suspend(() => void reopen(lastEventId, stream, source));
    // The next request is told so, and the client initializes again.
    if (error instanceof Refusal && error.code === 'session_not_found')
      gateway.sessions.end(source.session, 'the server ended it');
  }
}
