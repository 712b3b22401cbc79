/** An HTTP response that is an event stream. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { systemClock, type Clock } from '../../lib/clock.ts';
import { KEEP_ALIVE } from '../lib/sse.ts';
import type { EventSink } from '../session/event-stream.ts';

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // Asks reverse proxies in front of us not to gather what we do not gather (2026-07-28, *Streaming*).
  'x-accel-buffering': 'no',
};

/** Middle boxes cut what is silent for 30 to 60 s. */
const BEAT_MS = 15_000;

export class EventResponse implements EventSink {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #stopBeat: () => void = () => undefined;

  constructor(response: ServerResponse, clock: Clock = systemClock) {
    this.#response = response;
    this.#clock = clock;
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  begin(headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(200, { ...HEADERS, ...headers });
    this.#response.flushHeaders();
    this.#scheduleBeat();
    this.#response.once('close', () => this.#stopBeat());
  }

  keepAlive(): void {
    if (!this.#response.writableEnded && !this.#response.destroyed) this.#response.write(KEEP_ALIVE);
  }

  /** Waits for a slow client, so that the server is not read faster than the client reads. */
  write(frame: string): Promise<void> | void {
    if (this.#response.writableEnded || this.#response.destroyed || this.#response.write(frame)) return;
    const drained = Promise.race([once(this.#response, 'drain'), once(this.#response, 'close')]);
    return drained.then(() => undefined);
  }

  end(): void {
    this.#stopBeat();
    this.#response.end();
  }

  #scheduleBeat(): void {
    this.#stopBeat = this.#clock.after(BEAT_MS, () => {
      this.keepAlive();
      this.#scheduleBeat();
    });
  }
}
