/** Requests to whoever is told: bounded in time and size, without redirects, and with a sentence for every failure. */
import type { fetch } from 'undici';
import { sentenceOf } from '../../../lib/errors.ts';
import { DeliveryError } from './channel.ts';

export type Fetch = typeof fetch;

export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  /** Parsed, or undefined where it is no JSON. */
  readonly json: unknown;
  /** As Retry-After says; 0 without one. */
  readonly retryAfterMs: number;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** What fails before anything was sent. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Resolves with any answer below 400 and above; rejects with DeliveryError where there is none. */
export async function ask(outgoing: Outgoing, deps: { fetch: Fetch; now: () => number }): Promise<Answer> {
  const { method, url, headers, body } = outgoing;
  try {
    const response = await deps.fetch(url, {
      method,
      headers,
      body: body ?? null,
      // A receiver that is allowed must not lead on to one that is not.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return {
      status: response.status,
      json: jsonOf(await readBounded(response.body)),
      retryAfterMs: retryAfter(response.headers.get('retry-after'), deps.now()),
    };
  } catch (error) {
    if (error instanceof DeliveryError) throw error;
    throw unreachable(url, error);
  }
}

/** What a status that is no success is told as. Of one that asks for patience or failed inside, nobody knows more. */
export function refused(name: string, answer: Answer, why?: string): DeliveryError {
  const { status, retryAfterMs } = answer;
  const reason = why === undefined || why === '' ? '' : `: ${why.slice(0, 300)}`;
  return new DeliveryError(`${name} answered with HTTP status ${status}${reason}.`, {
    retryAfterMs,
    mayHaveArrived: status >= 500 && status !== 503,
  });
}

function unreachable(url: URL, error: unknown): DeliveryError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new DeliveryError(`${url.host} could not be reached: ${sentenceOf(cause)}.`, {
    cause: error,
    mayHaveArrived: !NEVER_SENT.has(code),
  });
}

async function readBounded(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) {
      throw new DeliveryError('The answer is larger than 1 MiB.', { mayHaveArrived: true });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfter(value: string | null, now: number): number {
  if (value === null) return 0;
  const ms = /^[0-9]{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
