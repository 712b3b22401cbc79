/** To a server that speaks Streamable HTTP: one POST a message, answered with JSON or with an event stream. */
import { Pool } from 'undici';
import { aborted, answerOf, checkStatus, discard, giveUp, notTaken, unusable } from './http-answer.ts';
import { request, type HttpResponse } from './request.ts';
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
  ): Promise<HttpResponse> => {
    const session = call.link.sessionId === undefined ? {} : { 'mcp-session-id': call.link.sessionId };
    try {
      const headers = { ...call.headers, ...session, ...more };
      const bounds = { signal: call.signal, maxBytes: options.maxMessageBytes };
      return await request(pool, { method, path, body, headers }, bounds);
    } catch (cause) {
      throw call.signal.aborted ? aborted(call.signal) : unusable(cause, options.maxMessageBytes);
    }
  };

  return {
    call: async (message: UpstreamRequest) => {
      const response = await send('POST', message, message.text, POSTED);
      if (message.method === 'initialize') learnSession(message.link, response);
      return answerOf(response, options.maxMessageBytes, message);
    },
    post: async (message) => {
      const response = await send('POST', message, message.text, POSTED);
      // Whatever it says belongs to no request, so nobody waits for it; a stream would keep the connection for ever.
      const { status } = response;
      if (status === 202) await discard(response);
      else giveUp(response);
      checkStatus(status, message.link);
      if (status >= 400) throw notTaken(status);
      return { kind: 'none', status: 202 };
    },
    stream: async (asked) => {
      const resume = asked.lastEventId === undefined ? {} : { 'last-event-id': asked.lastEventId };
      const response = await send('GET', asked, null, { accept: 'text/event-stream', ...resume });
      return answerOf(response, options.maxMessageBytes, asked);
    },
    end: async (asked) => {
      const response = await send('DELETE', asked, null, {});
      await discard(response);
      return response.status;
    },
    resumable: () => true,
    close: () => pool.destroy(),
  };
}

/** A server names its session on the answer to `initialize` and nowhere else; 2026-07-28 has no sessions to name. */
function learnSession(link: UpstreamLink, response: HttpResponse): void {
  const named = response.headers['mcp-session-id'];
  if (typeof named === 'string') link.sessionId = named;
}
