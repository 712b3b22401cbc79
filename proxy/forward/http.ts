/** To a server that speaks Streamable HTTP: one POST a message, answered with JSON or with an event stream. */
import { Pool, type Dispatcher } from 'undici';
import { aborted, answerOf, checkStatus, notTaken, unreachable } from './http-answer.ts';
import type { Upstream, UpstreamCall, UpstreamLink, UpstreamRequest } from '../upstream.ts';

export interface HttpUpstreamOptions {
  readonly url: string;
  /** Bytes of one answer or one event. */
  readonly maxMessageBytes: number;
}

const POSTED = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

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

  return {
    call: async (request: UpstreamRequest) => {
      const response = await send('POST', request, request.text, POSTED);
      if (request.method === 'initialize') learnSession(request.link, response);
      return answerOf(response, options.maxMessageBytes, request);
    },
    post: async (message) => {
      const response = await send('POST', message, message.text, POSTED);
      // Whatever it says belongs to no request, so nobody waits for it; a stream would keep the connection for ever.
      if (response.statusCode === 202) await response.body.dump();
      else response.body.destroy();
      checkStatus(response.statusCode, message.link);
      if (response.statusCode >= 400) throw notTaken(response.statusCode);
      return { kind: 'none', status: 202 };
    },
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
