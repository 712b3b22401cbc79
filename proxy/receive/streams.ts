/** Event streams of legacy sessions that a GET opens or takes up again. */
import type { Caller } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { relayUnsolicited } from '../relay.ts';
import { parseEventId, type EventStream } from '../session/event-stream.ts';
import type { Session } from '../session/sessions.ts';
import { EventResponse } from './event-response.ts';
import { acceptsEvents } from './post-reply.ts';
import type { Visit } from './streamable.ts';

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
  const hangUp = new AbortController();
  const answer = await gateway.upstream.stream({
    link: session.link,
    headers,
    signal: hangUp.signal,
    lastEventId: undefined,
  });
  if (answer.kind !== 'stream') {
    throw new Refusal('method_not_allowed', 'This MCP server offers no event stream of its own.', {
      status: 405,
      as: -32000,
      headers: { Allow: 'POST, DELETE' },
    });
  }
  const stream = gateway.sessions.newStream(session);
  session.standalone = stream;
  closeWhenAbandoned(stream, hangUp);
  listen(visit, stream, 0);
  void pump(answer.events, stream, { visit, caller, session, headers });
}

function listen({ response }: Visit, stream: EventStream, afterSeq: number): void {
  const events = new EventResponse(response);
  events.begin({});
  stream.attach(events, afterSeq);
  response.once('close', () => stream.detach(events));
}

function closeWhenAbandoned(stream: EventStream, hangUp: AbortController): void {
  stream.onDetach = () => {
    setTimeout(() => {
      if (!stream.attached) hangUp.abort();
    }, GRACE_MS).unref();
  };
}

async function pump(
  events: Parameters<typeof relayUnsolicited>[0],
  stream: EventStream,
  to: { visit: Visit; caller: Caller; session: Session; headers: Readonly<Record<string, string>> },
): Promise<void> {
  const { gateway } = to.visit;
  const { stages, journal, upstream, log } = gateway.serve;
  try {
    await relayUnsolicited(events, to, (event) => stream.push(event), {
      release: (text, recipient) => stages.release(text, recipient),
      passed: (method, released) => journal.passed('server', to, method, released),
      answerServer: (text) =>
        void upstream
          .post({ link: to.session.link, text, headers: to.headers, signal: AbortSignal.timeout(10_000) })
          .catch(() => undefined),
    });
  } catch (error) {
    log.debug({ err: error }, 'a stream of server messages ended');
  }
  stream.end();
}
