/** When a request that was forwarded is given up. */
import { Refusal } from './refusal.ts';

/** Requests that live as long as the client likes. */
const ENDLESS = new Set(['subscriptions/listen']);

export interface Limit {
  /** Aborted when the time is over. */
  readonly stop: AbortController;
  /** Aborted when the process is told to end. */
  readonly stopping: AbortSignal;
  /** limits.callTimeout, milliseconds. */
  readonly ms: number;
}

/** Watches the time until the function that it returns is called. What has no deadline ends with the process. */
export function limitTime(method: string, { stop, stopping, ms }: Limit): () => void {
  if (!ENDLESS.has(method)) {
    const timer = setTimeout(() => stop.abort(late(ms)), ms);
    return () => clearTimeout(timer);
  }
  const end = (): void => stop.abort(goingDown());
  stopping.addEventListener('abort', end, { once: true });
  return () => stopping.removeEventListener('abort', end);
}

function goingDown(): Refusal {
  return new Refusal('upstream_unavailable', 'The gateway is shutting down; listen again in a moment.', {
    status: 503,
    as: -32603,
  });
}

function late(ms: number): Refusal {
  return new Refusal(
    'upstream_timeout',
    `The MCP server did not answer within ${ms / 1000} s (limits.callTimeout).`,
    { status: 504, as: -32603 },
  );
}
