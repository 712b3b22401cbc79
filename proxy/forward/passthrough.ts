/** Beside the MCP path: plain HTTP to the same server, for the paths that a gateway lets through. `http-proxy` lives here alone. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import httpProxy from 'http-proxy';
import { Refusal } from '../refusal.ts';

export interface PassthroughOptions {
  /** Origin of the MCP server. */
  readonly origin: string;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
}

export interface PassthroughRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path and query towards the server. */
  readonly path: string;
  /** Credentials that are put in. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the server answered, whole: nothing of it has left yet. */
export interface PassthroughAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

export interface Passthrough {
  /** Throws a Refusal when the server cannot be reached or sends more than fits. */
  send(request: PassthroughRequest): Promise<PassthroughAnswer>;
  close(): void;
}

/** The client's own proof of identity, and what would let the server answer in a form that cannot be read. */
const KEPT_BACK = [
  'authorization',
  'cookie',
  'mcp-session-id',
  'accept-encoding',
  'forwarded',
  'x-forwarded-for',
];
/** Hop by hop, or about a body that is rewritten. */
const NOT_RELAYED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'te',
  'trailer',
  'upgrade',
]);

export function createPassthrough(options: PassthroughOptions): Passthrough {
  const proxy = httpProxy.createProxyServer({
    target: options.origin,
    changeOrigin: true,
    selfHandleResponse: true,
    ignorePath: false,
    proxyTimeout: options.timeoutMs,
  });
  const waiting = new WeakMap<IncomingMessage, (answer: Promise<PassthroughAnswer>) => void>();
  proxy.on('proxyReq', (outgoing) => {
    for (const name of KEPT_BACK) outgoing.removeHeader(name);
  });
  proxy.on('proxyRes', (incoming, request) =>
    waiting.get(request)?.(readAnswer(incoming, options.maxBodyBytes)),
  );
  return {
    send: ({ request, response, path, headers }) => {
      checkSize(request, options.maxBodyBytes);
      return new Promise<PassthroughAnswer>((resolve, reject) => {
        waiting.set(request, resolve);
        request.url = path;
        proxy.web(request, response, { headers: { ...headers } }, (cause) => reject(unreachable(cause)));
      });
    },
    close: () => proxy.close(),
  };
}

/** Without a length the body would have to be gathered to be bounded; who passes through sends one. */
function checkSize(request: IncomingMessage, maxBytes: number): void {
  const length = request.headers['content-length'];
  if (request.headers['transfer-encoding'] !== undefined) {
    throw new Refusal('bad_request', 'A request that passes through states its Content-Length.', {
      status: 411,
      as: -32600,
    });
  }
  if (Number(length ?? 0) > maxBytes)
    throw new Refusal(
      'too_large',
      `The body is larger than the ${maxBytes} bytes this gateway takes (limits.maxBodyBytes).`,
      { status: 413, as: -32600 },
    );
}

async function readAnswer(incoming: IncomingMessage, maxBytes: number): Promise<PassthroughAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      incoming.destroy();
      throw new Refusal(
        'upstream_invalid',
        `The server's answer is larger than the ${maxBytes} bytes this gateway takes (limits.maxBodyBytes).`,
        { status: 502, as: -32603 },
      );
    }
    chunks.push(chunk);
  }
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !NOT_RELAYED.has(name)) headers[name] = value;
  }
  return { status: incoming.statusCode ?? 502, headers, body: Buffer.concat(chunks, size) };
}

function unreachable(cause: unknown): Refusal {
  return new Refusal('upstream_unavailable', 'The server behind this path could not be reached.', {
    status: 502,
    as: -32603,
    cause,
  });
}
