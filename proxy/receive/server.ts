/** The listener that clients reach: which gateway a request is for, whether it may come from there, and who serves it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../lib/log.ts';
import type { Gateway } from '../gateway.ts';
import { Refusal } from '../refusal.ts';
import { checkOrigin, type Authorities } from './origin.ts';
import { servePassthrough } from './passthrough.ts';
import { refuse } from './refuse.ts';
import type { Route, Router } from './route.ts';
import { serveSse2024 } from './sse-2024.ts';
import { serveStreamable } from './streamable.ts';
import type { Visit } from './visit.ts';

export interface ReceiverDeps {
  /** Asked anew for each request; undefined while no bundle has arrived. */
  readonly router: () => Router<Gateway> | undefined;
  readonly authorities: (gateway: Gateway) => Authorities;
  readonly now: () => number;
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

const MAX_HEADER_BYTES = 64 * 1024;
/** A request has to arrive whole within this time; what it asks for may take longer. */
const REQUEST_TIMEOUT_MS = 60_000;

/** By the code of Node's error; what is no HTTP at all is a bad request. */
const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** A listener with its bounds set; `receiveOn` makes it serve. */
export function createListener(): Server {
  return createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: 30_000,
    keepAliveTimeout: 65_000,
  });
}

export function receiveOn(server: Server, deps: ReceiverDeps): void {
  server.on('request', (request, response) => void receive(request, response, deps));
  // No protocol here is upgraded to; whoever tries gets what every unknown path gets.
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  deps: ReceiverDeps,
): Promise<void> {
  const at = deps.now();
  const route = deps.router()?.(pathOf(request));
  if (route === undefined || route.kind === 'none') {
    answerPlain(response, route === undefined ? NO_POLICY : NOTHING_HERE);
    return;
  }
  const visit: Visit = { gateway: route.gateway, request, response, at, stopping: deps.stopping };
  try {
    checkOrigin(
      {
        host: request.headers.host,
        origin: request.headers.origin,
        localAddress: request.socket.localAddress,
      },
      deps.authorities(route.gateway),
    );
    await serveRoute(route, visit);
  } catch (error) {
    refuse(visit, error);
  }
}

async function serveRoute(route: Exclude<Route<Gateway>, { kind: 'none' }>, visit: Visit): Promise<void> {
  switch (route.kind) {
    case 'metadata':
      serveMetadata(visit);
      return;
    case 'passthrough':
      return servePassthrough(visit, route);
    case 'mcp':
      return visit.gateway.bundle.server.transport === 'SSE'
        ? serveSse2024(visit, route.prefix)
        : serveStreamable(visit);
  }
}

function serveMetadata({ gateway, request, response }: Visit): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Refusal('method_not_allowed', 'The metadata is read with GET.', {
      status: 405,
      as: -32600,
      headers: { Allow: 'GET, HEAD' },
    });
  }
  const body = JSON.stringify(gateway.metadata);
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'max-age=300',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const NO_POLICY = { status: 503, sentence: 'This proxy has no policy yet: the operator has not sent one.' };
const NOTHING_HERE = {
  status: 404,
  sentence: "There is nothing here: this path is no gateway's MCP path and passes through to none.",
};

function answerPlain(response: ServerResponse, answer: typeof NO_POLICY): void {
  const error = { code: -32600, message: answer.sentence };
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error });
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1).join('');
}
