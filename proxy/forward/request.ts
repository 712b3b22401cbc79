/**
 * One request over a pool. The answer to most is one small message in JSON, which is gathered as it comes: a stream for
 * each, with its buffers and its events, would cost a call more than anything else on the way to the server.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { TooMuch } from '../lib/collect.ts';

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** All bytes, where they are the JSON of a success; else the stream of them, which whoever reads it ends or destroys. */
  readonly body: Buffer | Readable;
}

export interface RequestBounds {
  /** Gives the request and its answer up. */
  readonly signal: AbortSignal;
  /** Of what is gathered. */
  readonly maxBytes: number;
}

/** Rejects with TooMuch for more than may be gathered, with the reason of the signal, or with what broke the connection. */
export function request(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  bounds: RequestBounds,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(options, new Receiver(bounds, resolve, reject));
  });
}

/** The media type of a header, lower case, without parameters. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1).join('').trim().toLowerCase();
}

type Controller = Dispatcher.DispatchController;

class Receiver implements Dispatcher.DispatchHandler {
  readonly #bounds: RequestBounds;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (reason: unknown) => void;
  #controller: Controller | undefined;
  #whole: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #stream: Readable | undefined;

  constructor(
    bounds: RequestBounds,
    resolve: (response: HttpResponse) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#bounds = bounds;
    this.#resolve = resolve;
    this.#reject = reject;
    bounds.signal.addEventListener('abort', this.#abort, { once: true });
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#bounds.signal.aborted) this.#abort();
  }

  onResponseStart(controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    const isPlainJson =
      mediaType(headers['content-type']) === 'application/json' && headers['content-encoding'] === undefined;
    if (status < 300 && isPlainJson) this.#whole = { status, headers };
    else this.#resolve({ status, headers, body: this.#streamOf(controller) });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#stream !== undefined) {
      if (!this.#stream.push(chunk)) controller.pause();
      return;
    }
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    const { maxBytes } = this.#bounds;
    if (this.#size <= maxBytes) return;
    this.#chunks = [];
    controller.abort(new TooMuch(`The answer holds more than ${maxBytes} bytes.`));
  }

  onResponseEnd(): void {
    this.#bounds.signal.removeEventListener('abort', this.#abort);
    this.#stream?.push(null);
    if (this.#whole === undefined) return;
    const [only] = this.#chunks;
    const body =
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#size);
    this.#resolve({ ...this.#whole, body });
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#bounds.signal.removeEventListener('abort', this.#abort);
    this.#stream?.destroy(error);
    this.#reject(error);
  }

  #streamOf(controller: Controller): Readable {
    const stream = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        this.#bounds.signal.removeEventListener('abort', this.#abort);
        if (!stream.readableEnded) controller.abort(error ?? new Error('The answer was given up.'));
        done(error);
      },
    });
    // Whoever reads a stream that breaks gets the error too, and nobody else need hear it.
    stream.on('error', () => undefined);
    this.#stream = stream;
    return stream;
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#bounds.signal.reason;
    const error = reason instanceof Error ? reason : new Error('The request was given up.');
    if (this.#stream === undefined) this.#controller?.abort(error);
    else this.#stream.destroy(error);
  };
}
