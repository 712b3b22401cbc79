/** HTTP/2 from the server's clients, inside of TLS that ends here. On to HTTP/2, or to HTTP/1.1 where that is all there is. */
import {
  constants,
  performServerHandshake,
  type ClientHttp2Stream,
  type Http2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { formatDestination, parseDestination } from '../destination.ts';
import { EgressRefused } from '../refused.ts';
import { pump } from './body.ts';
import { Call, maskedHeaders, type Ask } from './call.ts';
import type { Echo } from './echo.ts';
import { endToEnd, objectOf, pairsOf, pairsOfObject, without, type Headers } from './headers.ts';
import { refusalBody } from './refusal-answer.ts';
import { sendHttp1 } from './relay-http1.ts';
import type { Inside } from './serve-http1.ts';
import { SpeaksHttp1, WINDOW } from './upstreams.ts';

export interface Http2Options {
  readonly maxHeaderBytes: number;
  readonly idleMs: number;
}

const CONCURRENT_STREAMS = 256;
const UNAUTHORIZED = 401;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT']);

/** One session on one connection. Only streams are heard: the compatible API would answer them a second time. */
export function serveHttp2(socket: TLSSocket, inside: Inside, options: Http2Options): void {
  const session = performServerHandshake(socket, {
    settings: {
      initialWindowSize: WINDOW,
      maxConcurrentStreams: CONCURRENT_STREAMS,
      maxHeaderListSize: options.maxHeaderBytes,
    },
    maxHeaderListPairs: 256,
  });
  session.setLocalWindowSize(WINDOW);
  session.on('error', () => socket.destroy());
  session.setTimeout(options.idleMs, () => session.close());
  session.on('stream', (stream, headers, flags) => {
    stream.on('error', () => undefined);
    const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    void answerStream(clientOf(stream, hasBody), headers, inside);
  });
}

interface Client {
  readonly stream: ServerHttp2Stream;
  readonly hasBody: boolean;
  /** Once the body has ended. */
  readonly trailers: () => Headers;
}

/** Trailers are announced when they come, whether or not the body has been read, so they are listened for at once. */
function clientOf(stream: ServerHttp2Stream, hasBody: boolean): Client {
  let trailers: Headers = [];
  stream.once('trailers', (last) => (trailers = pairsOfObject(last)));
  return { stream, hasBody, trailers: () => trailers };
}

async function answerStream(client: Client, headers: IncomingHttpHeaders, inside: Inside): Promise<void> {
  let call: Call | undefined;
  try {
    call = await Call.begin(inside.gateway, askOf(headers, inside));
    await relay(call, client);
  } catch (error) {
    call?.recordFailure(error);
    refuse(client.stream, error);
  }
}

/** Throws EgressRefused: a client may use one connection for every host of its certificate, but not past this one. */
function askOf(headers: IncomingHttpHeaders, { opened, token }: Inside): Ask {
  const authority = headers[':authority'];
  const names = [authority, headers.host].filter((name) => name !== undefined);
  const agreed = names.every((name) => {
    const named = parseDestination(name, 443);
    return named?.host === opened.host && named.port === opened.port;
  });
  const path = headers[':path'] ?? '';
  if (names.length === 0 || !agreed || headers[':scheme'] !== 'https' || !/^[/*]/.test(path))
    throw new EgressRefused(
      'misdirected',
      `This connection is for ${formatDestination(opened)} alone; open another for ${authority ?? 'another host'}.`,
    );
  return {
    method: headers[':method'] ?? 'GET',
    destination: opened,
    secure: true,
    token,
    path,
    headers: without(endToEnd(pairsOfObject(headers)), 'host'),
  };
}

async function relay(call: Call, client: Client): Promise<void> {
  try {
    await relayHttp2(call, client);
  } catch (error) {
    if (!(error instanceof SpeaksHttp1)) throw error;
    await relayHttp1(call, client);
  }
}

interface Answered {
  readonly headers: IncomingHttpHeaders;
  readonly ended: boolean;
  readonly incoming: ClientHttp2Stream;
  readonly echo: Echo;
}

function statusOf({ headers }: Answered): number {
  return Number(headers[':status']);
}

async function relayHttp2(call: Call, client: Client): Promise<void> {
  const { stream } = client;
  const repeatable = !client.hasBody && IDEMPOTENT.has(call.ask.method);
  let answer = await askHttp2(call, client);
  if (statusOf(answer) === UNAUTHORIZED && call.carriesCredential) {
    const renewed = await call.renew();
    if (renewed && repeatable) {
      answer.incoming.close();
      answer = await askHttp2(call, client);
    }
  }
  const { incoming, echo } = answer;
  const status = statusOf(answer);
  call.recordAnswer(status);
  const headers = maskedHeaders(pairsOfObject(answer.headers), echo);
  if (stream.destroyed) {
    incoming.close(constants.NGHTTP2_CANCEL);
    throw new Error('The client went away.');
  }
  if (answer.ended) {
    stream.respond({ ...objectOf(headers), ':status': status }, { endStream: true });
    return;
  }
  let trailers: Headers = [];
  incoming.once(
    'trailers',
    (last: IncomingHttpHeaders) => (trailers = maskedHeaders(pairsOfObject(last), echo)),
  );
  stream.respond({ ...objectOf(headers), ':status': status }, { waitForTrailers: true });
  stream.once('wantTrailers', () => sendTrailers(stream, trailers));
  pump(incoming, stream, echo, () => endAs(incoming, stream));
  incoming.once('close', () => {
    if (!incoming.readableEnded && !stream.destroyed)
      stream.close(incoming.rstCode || constants.NGHTTP2_INTERNAL_ERROR);
  });
}

async function askHttp2(call: Call, client: Client): Promise<Answered> {
  const { stream, hasBody } = client;
  const { destination, method } = call.ask;
  const carrier = call.outgoing;
  const session = await call.gateway.upstreams.http2(call.pool, destination);
  const usual = destination.port === 443;
  const incoming = session.request(
    {
      ...objectOf(carrier.headers),
      ':method': method,
      ':scheme': 'https',
      ':authority': usual
        ? formatDestination(destination).replace(/:443$/, '')
        : formatDestination(destination),
      ':path': carrier.path,
    },
    { endStream: !hasBody, waitForTrailers: hasBody },
  );
  incoming.on('error', () => undefined);
  const cancel = (): void => incoming.close(constants.NGHTTP2_CANCEL);
  stream.once('aborted', cancel).once('close', () => {
    if (!incoming.closed) cancel();
  });
  const arrived = headersOf(call, incoming);
  if (hasBody) sendBody(client, incoming);
  return { ...(await arrived), incoming, echo: call.echo(carrier) };
}

function sendBody({ stream, trailers }: Client, outgoing: ClientHttp2Stream): void {
  outgoing.once('wantTrailers', () => sendTrailers(outgoing, trailers()));
  pump(stream, outgoing, undefined, () => endAs(stream, outgoing));
}

/** A stream that was reset ends as well; half a body must not look whole to the other side. */
function endAs(source: Http2Stream, sink: Http2Stream): void {
  if (source.rstCode === constants.NGHTTP2_NO_ERROR) sink.end();
  else sink.close(source.rstCode);
}

function sendTrailers(stream: Http2Stream, trailers: Headers): void {
  if (stream.closed || stream.destroyed) return;
  // Without any, this ends the stream with an empty DATA frame.
  stream.sendTrailers(objectOf(trailers));
}

function headersOf(
  call: Call,
  incoming: ClientHttp2Stream,
): Promise<{ headers: IncomingHttpHeaders; ended: boolean }> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void => {
      const why = cause instanceof Error ? cause.message : 'the stream was closed';
      reject(
        new EgressRefused(
          'upstream_unavailable',
          `${formatDestination(call.ask.destination)} did not answer: ${why}.`,
          { cause },
        ),
      );
    };
    incoming.once('response', (headers, flags) =>
      resolve({ headers, ended: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0 }),
    );
    incoming.once('error', fail).once('close', () => fail());
  });
}

/** The upstream has no HTTP/2: the same call over HTTP/1.1, trailers included. */
async function relayHttp1(call: Call, { stream, hasBody, trailers }: Client): Promise<void> {
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  const answer = await sendHttp1(call, {
    body: hasBody ? stream : undefined,
    trailers,
    chunked: hasBody && call.ask.headers.every(([name]) => name !== 'content-length'),
    signal: gone.signal,
  });
  if (answer.kind === 'switched') {
    answer.socket.destroy();
    throw new EgressRefused('upstream_unavailable', 'The upstream switched protocols unasked.');
  }
  const { response } = answer;
  const echo = call.echo(answer.carrier);
  const status = response.statusCode ?? 502;
  call.recordAnswer(status);
  const headers = maskedHeaders(endToEnd(pairsOf(response.rawHeaders)), echo);
  stream.respond({ ...objectOf(headers), ':status': status }, { waitForTrailers: true });
  stream.once('wantTrailers', () => sendTrailers(stream, maskedHeaders(pairsOf(response.rawTrailers), echo)));
  pump(response, stream, echo, () => stream.end());
  response.once('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
}

function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const { status, headers, body } = refusalBody(error);
  stream.respond({ ':status': status, ...headers });
  stream.end(body);
}
