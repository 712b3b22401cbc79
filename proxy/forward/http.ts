/** To a server that speaks Streamable HTTP: one POST a message, answered with JSON or with an event stream. */
import { Pool, type Dispatcher } from 'undici';
import { decodeUtf8 } from '../../lib/json/index.ts';
import { Refusal } from '../refusal.ts';
import { readEvents } from '../lib/sse.ts';
import type { Answer, Upstream, UpstreamCall, UpstreamLink, UpstreamRequest } from '../upstream.ts';

export interface HttpUpstreamOptions {
  readonly url: string;
  /** Bytes of one answer or one event. */
  readonly maxMessageBytes: number;
}

const ACCEPT = 'application/json, text/event-stream';

export function createHttpUpstream(options: HttpUpstreamOptions): Upstream {
  const url = new URL(options.url);
  const path = url.pathname + url.search;
  // Streams may be silent for as long as a call may take; the call's own deadline ends them, not the pool.
  const pool = new Pool(url.origin, {
    connections: 256,
    bodyTimeout: 0,
    headersTimeout: 0,
    connectTimeout: 10_000,
    pipelining: 1,
  });

  const send = async (
    method: 'POST' | 'GET' | 'DELETE',
    call: Omit<UpstreamCall, 'text'>,
    body: string | null,
    more: Record<string, string>,
  ): Promise<Dispatcher.ResponseData> => {
    const session = call.link.sessionId === undefined ? {} : { 'mcp-session-id': call.link.sessionId };
    try {
      const response = await pool.request({
        method,
        path,
        body,
        headers: { ...call.headers, ...session, ...more },
        signal: call.signal,
      });
      // A body that is given up emits an error; whoever reads it gets that too, and nobody else need hear it.
      response.body.on('error', () => undefined);
      return response;
    } catch (cause) {
      throw call.signal.aborted ? aborted(call.signal) : unreachable(cause);
    }
  };

  const post = async (call: UpstreamCall, opens: boolean): Promise<Answer> => {
    const response = await send('POST', call, call.text, {
      'content-type': 'application/json',
      accept: ACCEPT,
    });
    if (opens) learnSession(call.link, response);
    return answerOf(response, options.maxMessageBytes, call);
  };

  return {
    call: (request: UpstreamRequest) => post(request, request.method === 'initialize'),
    post: (message) => post(message, false),
    stream: async (request) => {
      const resume = request.lastEventId === undefined ? {} : { 'last-event-id': request.lastEventId };
      const response = await send('GET', request, null, { accept: 'text/event-stream', ...resume });
      return answerOf(response, options.maxMessageBytes, request);
    },
    end: async (request) => {
      const response = await send('DELETE', request, null, {});
      await response.body.dump();
      return response.statusCode;
    },
    resumable: () => true,
    close: () => pool.destroy(),
  };
}

/** A server names its session on the answer to `initialize` and nowhere else; 2026-07-28 has no sessions to name. */
function learnSession(link: UpstreamLink, response: Dispatcher.ResponseData): void {
  const named = response.headers['mcp-session-id'];
  if (typeof named === 'string') link.sessionId = named;
}

async function answerOf(
  response: Dispatcher.ResponseData,
  maxBytes: number,
  call: Omit<UpstreamCall, 'text'>,
): Promise<Answer> {
  try {
    checkStatus(response.statusCode, call.link);
    return await readAnswer(response, maxBytes, call);
  } catch (error) {
    response.body.destroy();
    throw error;
  }
}

async function readAnswer(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
  { signal }: Omit<UpstreamCall, 'text'>,
): Promise<Answer> {
  if (headers['content-encoding'] !== undefined)
    throw invalidAnswer('is compressed though nobody asked for that');
  const type = mediaType(headers['content-type']);
  if (type === 'text/event-stream' && status < 300) {
    return { kind: 'stream', begun: true, events: readEvents(body, maxBytes) };
  }
  if (type === 'application/json')
    return { kind: 'message', status, text: await readText(body, maxBytes, signal) };
  if (status === 202 || status === 204 || status === 405) {
    await body.dump();
    return { kind: 'none', status };
  }
  if (status < 300) throw invalidAnswer('is neither application/json nor text/event-stream');
  throw new Refusal(
    'upstream_invalid',
    `The MCP server answered with HTTP status ${status} and no JSON-RPC message.`,
    {
      status: status === 404 ? 404 : 502,
      as: -32603,
    },
  );
}

function mediaType(header: string | string[] | undefined): string {
  return String(header ?? '')
    .split(';', 1)
    .join('')
    .trim()
    .toLowerCase();
}

/** What a status means that the client must not take for ours: 401 and 403 would start a log-in that cannot help. */
function checkStatus(status: number, link: UpstreamLink): void {
  if (status === 404 && link.sessionId !== undefined) {
    throw new Refusal(
      'session_not_found',
      'The MCP server no longer knows this session; send initialize to open a new one.',
      { status: 404, as: -32001 },
    );
  }
  if (status === 401 || status === 403) {
    throw new Refusal(
      'upstream_invalid',
      `The MCP server refused the gateway's own access (HTTP ${status}); its operator has to mend the credential.`,
      { status: 502, as: -32603 },
    );
  }
  if (status >= 300 && status < 400) {
    throw new Refusal(
      'upstream_invalid',
      `The MCP server answered with a redirect (HTTP ${status}), which is not followed.`,
      { status: 502, as: -32603 },
    );
  }
}

async function readText(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > maxBytes)
        throw invalidAnswer(`is larger than ${maxBytes} bytes; raise limits.maxBodyBytes to let it pass`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw signal.aborted ? aborted(signal) : unreachable(cause);
  }
  const [only] = chunks;
  return decodeUtf8(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
}

function invalidAnswer(what: string): Refusal {
  return new Refusal('upstream_invalid', `The MCP server's answer cannot be used: it ${what}.`, {
    status: 502,
    as: -32603,
  });
}

function unreachable(cause: unknown): Refusal {
  return new Refusal(
    'upstream_unavailable',
    'The MCP server could not be reached, or hung up before it answered.',
    { status: 502, as: -32603, cause },
  );
}

/** The signal's reason is a Refusal where a deadline set it, else the client went away. */
function aborted(signal: AbortSignal): Refusal {
  return signal.reason instanceof Refusal
    ? signal.reason
    : new Refusal('client_gone', 'The client hung up before the answer came.', { status: 499, as: -32603 });
}
