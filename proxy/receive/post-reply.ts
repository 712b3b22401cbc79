/** The reply to one POST: JSON while one message says it all, an event stream as soon as there is more. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Era } from '../exchange.ts';
import { formatEvent } from '../lib/sse.ts';
import type { Reply } from '../reply.ts';
import type { EventStream } from '../session/event-stream.ts';
import { EventResponse } from './event-response.ts';

export interface PostReplyOptions {
  readonly era: Era;
  /**
   * Headers of whatever is sent; asked for when it is sent, because `initialize` names its session only then.
   * `answer`: the message, where no event stream is opened for it.
   */
  readonly headers: (answer?: string) => Readonly<Record<string, string>>;
  /** Makes the stream that outlives this response, for sessions that can resume one. */
  readonly newStream: (() => EventStream) | undefined;
}

export class PostReply implements Reply {
  readonly gone: AbortSignal;
  readonly #response: ServerResponse;
  readonly #options: PostReplyOptions;
  readonly #events: EventResponse;
  readonly #canStream: boolean;
  #stream: EventStream | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, options: PostReplyOptions) {
    this.#response = response;
    this.#options = options;
    this.#events = new EventResponse(response);
    this.#canStream = acceptsEvents(request.headers.accept);
    this.gone = goneSignal(response);
  }

  begin(): void {
    if (!this.#canStream || this.#response.headersSent || this.#response.destroyed) return;
    this.#events.begin(this.#options.headers());
    this.#stream = this.#options.newStream?.();
    if (this.#stream === undefined) return;
    const stream = this.#stream;
    stream.attach(this.#events, 0);
    this.#response.once('close', () => stream.detach(this.#events));
  }

  keepAlive(): void {
    this.begin();
    if (this.#events.begun) this.#events.keepAlive();
  }

  event(text: string): Promise<void> | void {
    this.begin();
    return this.#push({ data: text });
  }

  hint(retry: number | undefined): Promise<void> | void {
    if (this.#options.era === 'modern') return;
    this.begin();
    return this.#stream?.push({ data: '', retry });
  }

  async answer(text: string, status: number, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.#stream !== undefined || this.#events.begun) {
      await this.#push({ data: text });
      if (this.#stream === undefined) this.#events.end();
      else this.#stream.end();
      return;
    }
    if (this.#response.destroyed) return;
    this.#response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...this.#options.headers(text),
      ...headers,
    });
    // As text it goes out in one piece with the head.
    this.#response.end(text);
  }

  suspend(resume: () => void): boolean {
    this.#stream?.suspend(resume);
    return this.#stream !== undefined;
  }

  #push(event: { readonly data: string }): Promise<void> | void {
    if (this.#stream !== undefined) return this.#stream.push(event);
    return this.#events.begun ? this.#events.write(formatEvent(event)) : undefined;
  }
}

/** Aborted when the response closes before it was finished: the client hung up. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

export function acceptsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return accept.split(',').some((range) => {
    const type = range.split(';', 1)[0]?.trim().toLowerCase();
    return type === 'text/event-stream' || type === 'text/*' || type === '*/*';
  });
}
