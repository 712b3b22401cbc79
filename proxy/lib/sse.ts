/** Server-sent events as MCP uses them: WHATWG HTML, section 9.2. */
import { createParser } from 'eventsource-parser';
import { GatehouseError } from '../../lib/errors.ts';

export interface SseEvent {
  /** Absent means `message`. */
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: string;
  /** Milliseconds that the client should wait before it reconnects. */
  readonly retry: number | undefined;
}

export class SseError extends GatehouseError {
  readonly code = 'sse_invalid';
}

/** A comment line: keeps a connection open and means nothing. */
export const KEEP_ALIVE = ': keep-alive\n\n';

/** One event as it goes over the wire. A line break in `data` starts a `data:` line of its own, as the format wants. */
export function formatEvent(event: Partial<SseEvent> & { readonly data: string }): string {
  const head =
    (event.event === undefined ? '' : `event: ${event.event}\n`) +
    (event.id === undefined ? '' : `id: ${event.id}\n`) +
    (event.retry === undefined ? '' : `retry: ${event.retry}\n`);
  const data = /[\r\n]/.test(event.data) ? event.data.split(/\r\n|\r|\n/).join('\ndata: ') : event.data;
  return `${head}data: ${data}\n\n`;
}

/**
 * Reads events as they arrive, comments left out. Bytes that are not UTF-8 and events of more than `maxEventChars`
 * throw SseError. An event with an id and empty data (a priming event of 2025-11-25) comes through: its id matters.
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  maxEventChars: number,
): AsyncGenerator<SseEvent> {
  const ready: SseEvent[] = [];
  let retry: number | undefined;
  const state = { overflow: false };
  const parser = createParser({
    maxBufferSize: maxEventChars,
    onEvent: (event) => {
      ready.push({ event: event.event, id: event.id, data: event.data, retry });
      retry = undefined;
    },
    onRetry: (value) => {
      retry = value;
    },
    onError: (error) => {
      state.overflow ||= error.type === 'max-buffer-size-exceeded';
    },
  });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of body) {
    parser.feed(decode(decoder, chunk));
    yield* ready.splice(0);
    if (state.overflow) {
      throw new SseError(
        `The server sent an event of more than ${maxEventChars} characters; raise limits.maxBodyBytes to let it pass.`,
      );
    }
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new SseError('The server sent an event stream that is not UTF-8.', { cause });
  }
}
