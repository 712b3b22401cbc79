/** HTTP/1.1 from the server's clients: inside of TLS that ends here, and plain towards a proxy or a web server. */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Destination } from '../destination.ts';
import { EgressRefused } from '../refused.ts';
import { pump } from './body.ts';
import { Call, maskedHeaders } from './call.ts';
import type { EgressGateway } from './gateway.ts';
import { endToEnd, flat, pairsOf, without, type Headers } from './headers.ts';
import { targetOf } from './request-target.ts';
import { sendHttp1, type Http1Answer, type Sending } from './relay-http1.ts';
import { refusalBody, statusOf } from './refusal-answer.ts';

/** What is known of a connection before its first request. */
export interface Inside {
  readonly gateway: EgressGateway;
  readonly token: string | undefined;
  /** Where its TLS was meant to end: every request on it must be for there. */
  readonly opened: Destination;
}

export interface Http1Options {
  /** Undefined for connections whose TLS did not end here. */
  readonly insideOf: (socket: Duplex) => Inside | undefined;
  /** For plain requests. Throws EgressRefused for one that proves itself wrongly. */
  readonly gatewayFor: (headers: Headers) => Pick<Inside, 'gateway' | 'token'>;
  readonly onConnect: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  readonly headersTimeoutMs: number;
  readonly maxHeaderBytes: number;
}

export function createHttp1Server(options: Http1Options): Server {
  const server = createServer({
    maxHeaderSize: options.maxHeaderBytes,
    headersTimeout: options.headersTimeoutMs,
    // Streams may go on for as long as they like; that headers come is what is watched.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, options.headersTimeoutMs),
    keepAliveTimeout: 75_000,
    // Another protocol would carry requests that nobody judges; a server may ignore the wish (RFC 9110, 7.8).
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  const serve = (request: IncomingMessage, response: ServerResponse, more: Partial<Sending> = {}): void => {
    void answerRequest(request, response, options, more);
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => serve(request, response));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    serve(request, response, { onContinue: () => response.writeContinue() }),
  );
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void answerUpgrade(request, socket, head, options);
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A tunnel inside of a tunnel would be one that nobody judges.
    if (options.insideOf(socket) === undefined && socket instanceof Socket)
      options.onConnect(request, socket, head);
    else socket.destroy();
  });
  // It never listens itself; this is what starts its watch over slow headers.
  server.emit('listening');
  return server;
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: Http1Options,
  more: Partial<Sending>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  request.on('error', () => gone.abort());
  let call: Call | undefined;
  try {
    const ask = askOf(request, options);
    call = await Call.begin(ask.gateway, ask.ask);
    const answer = await sendHttp1(call, { ...sendingOf(request), ...more, signal: gone.signal });
    if (answer.kind === 'switched') {
      answer.socket.destroy();
      throw new EgressRefused('upstream_unavailable', 'The upstream switched protocols unasked.');
    }
    relayAnswer(call, answer, response);
  } catch (error) {
    call?.recordFailure(error);
    refuse(response, error);
  }
}

function relayAnswer(
  call: Call,
  { response: incoming, carrier }: Extract<Http1Answer, { kind: 'response' }>,
  response: ServerResponse,
): void {
  const echo = call.echo(carrier);
  const status = incoming.statusCode ?? 502;
  call.recordAnswer(status);
  // Trailers that an intermediary may drop must be announced to survive it (RFC 9110, 6.6.2); ours are not dropped.
  const headers = maskedHeaders(endToEnd(pairsOf(incoming.rawHeaders)), echo);
  response.sendDate = false;
  response.writeHead(status, incoming.statusMessage, flat(headers));
  response.flushHeaders();
  pump(incoming, response, echo, () => {
    const trailers = maskedHeaders(pairsOf(incoming.rawTrailers), echo);
    if (trailers.length > 0 && response.chunkedEncoding)
      response.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
    response.end();
  });
  // Nobody may take half a body for a whole one.
  incoming.once('error', () => response.destroy());
  response.once('close', () => {
    if (!response.writableFinished) incoming.destroy();
  });
}

async function answerUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: Http1Options,
): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => gone.abort()).once('close', () => gone.abort());
  let call: Call | undefined;
  try {
    const ask = askOf(request, options);
    call = await Call.begin(ask.gateway, ask.ask);
    const sending = { ...sendingOf(request), body: undefined, upgrade: request.headers.upgrade ?? '' };
    const answer = await sendHttp1(call, { ...sending, signal: gone.signal });
    call.recordAnswer(answer.response.statusCode ?? 502);
    const headers = maskedHeaders(pairsOf(answer.response.rawHeaders), call.echo(answer.carrier));
    if (answer.kind === 'response') {
      socket.write(headOf(answer.response, [...endToEnd(headers), ['Connection', 'close']]));
      pump(answer.response, socket, call.echo(answer.carrier), () => socket.end());
      answer.response.once('error', () => socket.destroy());
      return;
    }
    socket.write(headOf(answer.response, headers));
    join(call, { socket, head }, answer);
  } catch (error) {
    call?.recordFailure(error);
    socket.end(refusalMessage(error));
  }
}

function join(
  call: Call,
  client: { readonly socket: Duplex; readonly head: Buffer },
  answer: Extract<Http1Answer, { kind: 'switched' }>,
): void {
  const { socket } = client;
  if (client.head.length > 0) socket.unshift(client.head);
  if (answer.head.length > 0) answer.socket.unshift(answer.head);
  pump(socket, answer.socket, undefined, () => answer.socket.end());
  pump(answer.socket, socket, call.echo(answer.carrier), () => socket.end());
  socket.once('close', () => answer.socket.destroy());
  answer.socket.on('error', () => socket.destroy());
  answer.socket.once('close', () => socket.end());
}

function headOf(response: IncomingMessage, headers: Headers): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${response.statusCode ?? 502} ${response.statusMessage ?? ''}`;
  return [status, ...lines, '', ''].join('\r\n');
}

function sendingOf(request: IncomingMessage): Omit<Sending, 'signal'> {
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const length = Number(request.headers['content-length'] ?? 0);
  return {
    body: chunked || length > 0 ? request : undefined,
    trailers: () => endToEnd(pairsOf(request.rawTrailers)),
    chunked,
  };
}

/** Throws EgressRefused for a request whose target, Host and connection do not say the same. */
function askOf(
  request: IncomingMessage,
  options: Http1Options,
): { readonly gateway: EgressGateway; readonly ask: Call['ask'] } {
  const headers = pairsOf(request.rawHeaders);
  const inside = options.insideOf(request.socket);
  const { gateway, token } = inside ?? options.gatewayFor(headers);
  const { secure, destination, path } = targetOf(request.url ?? '', headers, inside?.opened);
  return {
    gateway,
    ask: {
      method: request.method ?? 'GET',
      destination,
      secure,
      token,
      path,
      headers: without(endToEnd(headers), 'host'),
    },
  };
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, headers, body } = refusalBody(error);
  response.writeHead(status, { ...headers, connection: 'close' });
  response.end(body);
}

/** For a socket that no ServerResponse writes to. */
export function refusalMessage(error: unknown): string {
  const { headers, body } = refusalBody(error);
  const status = statusOf(error);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n');
}
