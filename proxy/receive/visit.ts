import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gateway } from '../gateway.ts';

/** One HTTP request at one gateway. */
export interface Visit {
  readonly gateway: Gateway;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Aborted when the process is told to end: what would go on for ever ends then. */
  readonly stopping: AbortSignal;
}

/** Runs `end` when the process is told to end, unless the response is over by then. */
export function endWhenStopping({ response, stopping }: Visit, end: () => void): void {
  stopping.addEventListener('abort', end, { once: true });
  response.once('close', () => stopping.removeEventListener('abort', end));
}
