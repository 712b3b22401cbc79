/** To a server that speaks HTTP+SSE (2024-11-05): one event stream a session, messages POSTed to the endpoint it names. */
import { Pool, type Dispatcher } from 'undici';
import { sentenceOf } from '../../lib/errors.ts';
import { Refusal } from '../refusal.ts';
import { readEvents, type SseEvent } from '../lib/sse.ts';
import { Connection } from './connection.ts';
import type { Upstream, UpstreamCall, UpstreamLink } from '../upstream.ts';

export interface SseOptions {
  readonly url: string;
  readonly maxMessageBytes: number;
}

export function createSseUpstream(options: SseOptions): Upstream {
  const url = new URL(options.url);
  const pool = new Pool(url.origin, {
    connections: 1024,
    bodyTimeout: 0,
    headersTimeout: 30_000,
    connectTimeout: 10_000,
    pipelining: 1,
  });

  const connectionOf = (link: UpstreamLink): SseConnection => {
    if (link.connection instanceof SseConnection && link.connection.connection.open) return link.connection;
    throw new Refusal('session_not_found', 'The event stream of this session is closed; connect again.', {
      status: 404,
      as: -32001,
    });
  };

  return {
    call: async (request) => {
      const { connection } = connectionOf(request.link);
      const events = await connection.call(request.text, { ...request, cancelOnAbort: false });
      return { kind: 'stream', begun: false, events };
    },
    post: async (message) => {
      await connectionOf(message.link).connection.post(message.text, message.headers);
      return { kind: 'none', status: 202 };
    },
    stream: async (request) => {
      const opened = await SseConnection.open(pool, url, options, request);
      request.link.connection = opened;
      return { kind: 'stream', begun: false, events: opened.connection.unsolicited };
    },
    end: (request) => {
      request.link.connection?.close();
      return Promise.resolve(200);
    },
    resumable: () => false,
    close: () => pool.destroy(),
  };
}

class SseConnection {
  readonly connection: Connection;
  readonly #pool: Pool;
  readonly #endpoint: URL;
  readonly #hangUp: AbortController;

  private constructor(pool: Pool, endpoint: URL, hangUp: AbortController) {
    this.#pool = pool;
    this.#endpoint = endpoint;
    this.#hangUp = hangUp;
    this.connection = new Connection({
      send: (text, headers) => this.#send(text, headers),
      close: () => hangUp.abort(),
    });
  }

  /** Opens the stream and waits for its first event, which names where messages go. */
  static async open(
    pool: Pool,
    url: URL,
    options: SseOptions,
    request: Omit<UpstreamCall, 'text'>,
  ): Promise<SseConnection> {
    const hangUp = new AbortController();
    request.signal.addEventListener('abort', () => hangUp.abort(), { once: true });
    const response = await get(pool, url, { ...request.headers, accept: 'text/event-stream' }, hangUp.signal);
    const events = readEvents(response.body, options.maxMessageBytes);
    const first = await events.next();
    if (first.done === true || first.value.event !== 'endpoint') {
      hangUp.abort();
      throw invalid('did not begin its event stream with an endpoint event');
    }
    const opened = new SseConnection(pool, endpointOf(first.value, url), hangUp);
    void opened.#pump(events);
    return opened;
  }

  close(): void {
    this.connection.close();
  }

  async #pump(events: AsyncIterable<SseEvent>): Promise<void> {
    let reason = 'closed the event stream';
    try {
      for await (const event of events) {
        if (event.event === undefined || event.event === 'message') this.connection.receive(event.data);
      }
    } catch (error) {
      reason = `broke its event stream: ${sentenceOf(error)}`;
    }
    this.connection.fail(
      new Refusal('upstream_unavailable', `The MCP server ${reason}.`, { status: 502, as: -32603 }),
    );
    this.#hangUp.abort();
  }

  async #send(text: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const response = await this.#pool.request({
      method: 'POST',
      path: this.#endpoint.pathname + this.#endpoint.search,
      headers: { ...headers, 'content-type': 'application/json' },
      body: text,
      signal: this.#hangUp.signal,
    });
    await response.body.dump();
    if (response.statusCode >= 300)
      throw invalid(`refused a message with HTTP status ${response.statusCode}`);
  }
}

async function get(
  pool: Pool,
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  let response: Dispatcher.ResponseData;
  try {
    response = await pool.request({ method: 'GET', path: url.pathname + url.search, headers, signal });
    // A body that is given up emits an error; whoever reads it gets that too, and nobody else need hear it.
    response.body.on('error', () => undefined);
  } catch (cause) {
    throw new Refusal('upstream_unavailable', 'The MCP server could not be reached.', {
      status: 502,
      as: -32603,
      cause,
    });
  }
  const type = String(response.headers['content-type'] ?? '');
  if (response.statusCode === 200 && type.startsWith('text/event-stream')) return response;
  await response.body.dump();
  throw invalid(`answered the request for its event stream with HTTP status ${response.statusCode}`);
}

/** The endpoint may not lead anywhere but to the server: messages carry credentials. */
function endpointOf(event: SseEvent, base: URL): URL {
  const endpoint = URL.canParse(event.data, base.href) ? new URL(event.data, base.href) : undefined;
  if (endpoint?.origin === base.origin) return endpoint;
  throw invalid('named a message endpoint that is not on its own origin');
}

function invalid(what: string): Refusal {
  return new Refusal('upstream_invalid', `The MCP server ${what}.`, { status: 502, as: -32603 });
}
