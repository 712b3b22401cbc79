/** POST /v1/streams/{stream}/records over HTTPS. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { StoreBusy, type Committer } from './committer.ts';
import type { Verdict } from './chain.ts';
import { LineInvalid } from './errors.ts';
import { ingest } from './ingest.ts';
import type { BatchResult, RecorderMetrics } from './metrics.ts';
import type { FindWriter } from './writers.ts';

const RECORDS = /^\/v1\/streams\/([A-Za-z0-9_-]{1,64})\/records$/;
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{1,4096})$/i;
/** One line of the largest size, and a little. */
const MAX_BODY_BYTES = 17 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

export interface ServerOptions {
  readonly committer: Committer;
  readonly findWriter: FindWriter;
  readonly metrics: RecorderMetrics;
  readonly log: Logger;
}

interface Answer {
  readonly status: number;
  readonly result: BatchResult;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An HTTPS server, not listening yet. */
export function createRecorderServer(tls: { cert: string; key: string }, options: ServerOptions): Server {
  const server = createServer({ ...tls, minVersion: 'TLSv1.2' }, (request, response) => {
    void respond(request, response, options);
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  return server;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  const answer = await answerTo(request, options).catch((error: unknown) => failed(error, options.log));
  options.metrics.batch(answer.result);
  if (response.destroyed) return;
  // A body that nobody reads to its end must not be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer.body));
}

async function answerTo(request: IncomingMessage, options: ServerOptions): Promise<Answer> {
  const [, stream] = RECORDS.exec(request.url ?? '') ?? [];
  if (stream === undefined) return problem(404, 'not_found', 'There is only /v1/streams/{stream}/records.');
  if (request.method !== 'POST') return problem(405, 'method_not_allowed', 'Records are sent with POST.');
  const from = await authenticate(request, options.findWriter);
  if (from === undefined) return unauthenticated(request, options.log);
  const body = await readBody(request);
  if (body === undefined) return problem(413, 'too_large', `A body has at most ${MAX_BODY_BYTES} bytes.`);

  const began = performance.now();
  const verdict = await ingest(options.committer, { stream, from, body });
  options.metrics.committed((performance.now() - began) / 1000);
  return answerOf(verdict, { stream, from }, options);
}

async function authenticate(request: IncomingMessage, findWriter: FindWriter): Promise<string | undefined> {
  const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  return token === undefined ? undefined : findWriter(token);
}

/** Undefined when the body is larger than it may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // The answer still has to go out on this connection when the loop ends early.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function answerOf(verdict: Verdict, about: { stream: string; from: string }, options: ServerOptions): Answer {
  if (verdict.kind === 'accept') {
    options.metrics.stored(verdict.fresh.length);
    return { status: 200, result: 'accepted', body: { acknowledged: verdict.head.next - 1 } };
  }
  const { kind, message, expected } = verdict;
  if (kind === 'chain_broken') options.log.error({ ...about, expected }, `a chain is broken: ${message}`);
  return { status: 409, result: kind, body: { code: kind, message, expected } };
}

function unauthenticated(request: IncomingMessage, log: Logger): Answer {
  log.warn({ peer: request.socket.remoteAddress }, 'refused records without a token that is known');
  const body = { code: 'unauthenticated', message: 'Show the bearer token that the recorder knows you by.' };
  return { status: 401, result: 'unauthenticated', body };
}

function failed(error: unknown, log: Logger): Answer {
  if (error instanceof LineInvalid) return problem(400, error.code, error.message);
  log.error({ err: error }, `records were not taken: ${sentenceOf(error)}`);
  const message = error instanceof StoreBusy ? error.message : 'The recorder cannot take records now.';
  return { status: 503, result: 'unavailable', body: { code: 'store_unavailable', message } };
}

function problem(status: number, code: string, message: string): Answer {
  return { status, result: 'invalid', body: { code, message } };
}
