/**
 * One event stream of a legacy session. It outlives the HTTP response that carries it: the client may hang up and come
 * back with Last-Event-ID, and gets what it missed. Event ids are ours; what is kept is what was released, so masked.
 */
import { formatEvent } from '../lib/sse.ts';

/** Where the events of a stream go while a client listens. */
export interface EventSink {
  /** Resolves when the client can take more. */
  write(frame: string): Promise<void> | void;
  end(): void;
}

interface Kept {
  readonly seq: number;
  readonly frame: string;
}

const MAX_KEPT_CHARS = 1024 * 1024;
const MAX_KEPT_EVENTS = 1000;

export class EventStream {
  readonly id: string;
  #seq = 0;
  #heard = 0;
  #kept: Kept[] = [];
  #keptChars = 0;
  #sink: EventSink | undefined;
  #ended = false;
  #resume: (() => void) | undefined;
  /** Called when the client has hung up and nobody listens any more. */
  onDetach: (() => void) | undefined;

  constructor(id: string) {
    this.id = id;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The last event that a client was sent; those after it were kept while nobody listened. */
  get heardUpTo(): number {
    return this.#heard;
  }

  get attached(): boolean {
    return this.#sink !== undefined;
  }

  /** Sends an event, or keeps it for the client that comes back. */
  push(event: {
    readonly data: string;
    readonly event?: string | undefined;
    readonly retry?: number | undefined;
  }): Promise<void> | void {
    this.#seq += 1;
    const frame = formatEvent({ ...event, id: `${this.id}.${this.#seq}` });
    this.#keep({ seq: this.#seq, frame });
    if (this.#sink === undefined) return;
    this.#heard = this.#seq;
    return this.#sink.write(frame);
  }

  /** Takes the stream over for a new response; what came after `afterSeq` is sent first. */
  attach(sink: EventSink, afterSeq: number): void {
    this.#sink?.end();
    for (const kept of this.#kept) {
      if (kept.seq > afterSeq) void sink.write(kept.frame);
    }
    this.#heard = this.#seq;
    if (this.#ended) {
      sink.end();
      return;
    }
    this.#sink = sink;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  /** The client hung up. Does nothing when another response has taken over. */
  detach(sink: EventSink): void {
    if (this.#sink !== sink) return;
    this.#sink = undefined;
    this.onDetach?.();
  }

  /** Closes the response but not the stream: the client is to come back, and then `resume` is called (2025-11-25). */
  suspend(resume: () => void): void {
    this.#resume = resume;
    this.#sink?.end();
    this.#sink = undefined;
  }

  get suspended(): boolean {
    return this.#resume !== undefined;
  }

  end(): void {
    this.#ended = true;
    this.#sink?.end();
    this.#sink = undefined;
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    this.#keptChars += kept.frame.length;
    while (
      this.#kept.length > MAX_KEPT_EVENTS ||
      (this.#keptChars > MAX_KEPT_CHARS && this.#kept.length > 1)
    ) {
      this.#keptChars -= this.#kept.shift()?.frame.length ?? 0;
    }
  }
}

/** Splits an event id of ours: `<stream>.<seq>`. */
export function parseEventId(id: string): { readonly stream: string; readonly seq: number } | undefined {
  const match = /^([A-Za-z0-9_-]{1,64})\.(\d{1,15})$/.exec(id);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { stream: match[1], seq: Number(match[2]) };
}
