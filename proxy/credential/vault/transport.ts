/**
 * HTTPS to one Vault, by undici: its own roots, time-outs, no way to another host, patience with a Vault that is busy.
 * What `node-vault` would do by itself (axios) follows redirects with the token, waits for ever and forgets Retry-After.
 */
import type { LookupFunction } from 'node:net';
import { Agent, request as send, type Dispatcher } from 'undici';
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import { VaultError } from './error.ts';
import { isBusy, nextAttemptInMs } from './retry.ts';

export interface TransportOptions {
  /** Origin of Vault. */
  readonly address: string;
  /** PEM of the roots that vouch for it; the machine's without it. */
  readonly caBundle: string | undefined;
  /** Where its name lies; without it, where this machine says. */
  readonly lookup?: LookupFunction | undefined;
  readonly clock: Clock;
  /** [0, 1) */
  readonly random: () => number;
  /** Milliseconds until an answer must have come. */
  readonly answerMs?: number;
  /** Milliseconds for which a busy Vault is asked again. */
  readonly patienceMs?: number;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface TransportResponse {
  readonly status: number;
  /** Parsed JSON; undefined when there was none. */
  readonly body: unknown;
}

export interface Transport {
  /** Throws VaultError; an answer is returned whatever its status, but for redirects and a Vault that stays busy. */
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
const ANSWER_MS = 10_000;
const PATIENCE_MS = 8_000;
/** The largest secret that KV takes is 1 MiB; twice that holds its JSON. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Throws VaultError for an address that would send tokens in the clear. */
export function createTransport(options: TransportOptions): Transport {
  const { origin } = checkedAddress(options.address);
  const { clock, random, answerMs = ANSWER_MS, patienceMs = PATIENCE_MS } = options;
  const agent = new Agent({
    connections: 16,
    // Said outright, so that no variable of the environment can turn it off.
    connect: {
      ...(options.caBundle === undefined ? {} : { ca: options.caBundle }),
      rejectUnauthorized: true,
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
      timeout: CONNECT_MS,
    },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  });

  const once = async (request: TransportRequest): Promise<RawAnswer> => {
    const url = new URL(request.url);
    if (url.origin !== origin) throw elsewhere();
    const answer = await ask(agent, url, request);
    const next = redirectOf(answer, url);
    if (next === undefined) return answer;
    if (next.origin !== origin) throw elsewhere();
    const again = await ask(agent, next, request);
    if (REDIRECTS.has(again.status)) throw elsewhere();
    return again;
  };

  const patiently = async (request: TransportRequest): Promise<RawAnswer> => {
    const deadline = clock.now() + patienceMs;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await once(request).catch((error: unknown) => {
        // What may have been done is not done twice: only what never reached Vault is sent again.
        if (error instanceof NotSent) return error;
        throw error;
      });
      const busy = outcome instanceof NotSent || isBusy(outcome.status);
      if (!busy) return outcome;
      const retryAfter = outcome instanceof NotSent ? undefined : outcome.retryAfter;
      const wait = nextAttemptInMs({ attempt, retryAfter, now: clock.now(), deadline, random: random() });
      if (wait === undefined) throw outcome instanceof NotSent ? outcome.error : busyError(outcome);
      await new Promise<void>((resolve) => clock.after(wait, resolve));
    }
  };

  return {
    send: async (request) => {
      const { status, text } = await patiently(request);
      return { status, body: parseAnswer(text, status) };
    },
    close: () => agent.destroy(),
  };
}

interface RawAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/** No byte of the request reached Vault. */
class NotSent {
  readonly error: VaultError;

  constructor(error: VaultError) {
    this.error = error;
  }
}

const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

async function ask(agent: Agent, url: URL, request: TransportRequest): Promise<RawAnswer> {
  try {
    const response = await send(url, {
      dispatcher: agent,
      method: request.method,
      headers: { ...request.headers, ...(request.body === undefined ? {} : JSON_BODY) },
      body: request.body ?? null,
    });
    const text = await readBounded(response.body);
    return {
      status: response.statusCode,
      location: headerOf(response, 'location'),
      retryAfter: headerOf(response, 'retry-after'),
      text,
    };
  } catch (cause) {
    if (cause instanceof VaultError) throw cause;
    const code = codeOf(cause);
    const error = new VaultError('vault_unreachable', `Vault cannot be reached (${code})`, {
      cause,
      detail: sentenceOf(cause),
    });
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- caught by `patiently`, which knows what it means
    throw NEVER_CONNECTED.has(code) ? new NotSent(error) : error;
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES)
      throw new VaultError('vault_unreadable', `Vault's answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function redirectOf(answer: RawAnswer, from: URL): URL | undefined {
  if (!REDIRECTS.has(answer.status)) return undefined;
  const to = answer.location === undefined ? null : URL.parse(answer.location, from.href);
  if (to === null) throw elsewhere();
  return to;
}

/** A body that says nothing is fine where a status says it all; half an answer is not. */
function parseAnswer(text: string, status: number): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    if (status >= 300) return undefined;
    throw new VaultError('vault_unreadable', "Vault's answer is not JSON, or was cut off", { status });
  }
}

function busyError({ status, text }: RawAnswer): VaultError {
  const sealed = status === 503 && text.includes('Vault is sealed');
  const why = sealed ? 'it is sealed' : `status ${status}`;
  return new VaultError('vault_busy', `Vault cannot answer now (${why})`, { status });
}

function elsewhere(): VaultError {
  return new VaultError(
    'vault_redirected',
    'Vault sends requests to another host, where no token is taken; the installation must name the address that answers',
  );
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const own = 'code' in error ? String(error.code) : undefined;
  return own ?? (error.cause === undefined ? error.name : codeOf(error.cause));
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function checkedAddress(address: string): URL {
  const url = URL.parse(address);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url;
  throw new VaultError('vault_refused', 'the address of Vault is not an https URL');
}
