/** What a server answered over HTTP, as an Answer or as the Refusal that it calls for. */
import type { Readable } from 'node:stream';
import { decodeUtf8, JsonTextError } from '../../lib/json/index.ts';
import { collect, TooMuch } from '../lib/collect.ts';
import { readEvents } from '../lib/sse.ts';
import { Refusal } from '../refusal.ts';
import type { Answer, UpstreamCall, UpstreamLink } from '../upstream.ts';
import { mediaType, type HttpResponse } from './request.ts';

/** Reads what a server answered. Throws a Refusal for what is no MCP, and gives the body up then. */
export async function answerOf(
  response: HttpResponse,
  maxBytes: number,
  call: Omit<UpstreamCall, 'text'>,
): Promise<Answer> {
  try {
    checkStatus(response.status, call.link);
    return await readAnswer(response, maxBytes, call);
  } catch (error) {
    giveUp(response);
    throw error;
  }
}

async function readAnswer(
  response: HttpResponse,
  maxBytes: number,
  { signal }: Omit<UpstreamCall, 'text'>,
): Promise<Answer> {
  const { status, headers, body } = response;
  if (Buffer.isBuffer(body)) return { kind: 'message', status, text: utf8(body) };
  return readStream({ status, headers, body }, maxBytes, signal);
}

async function readStream(
  response: HttpResponse & { readonly body: Readable },
  maxBytes: number,
  signal: AbortSignal,
): Promise<Answer> {
  const { status, headers, body } = response;
  if (headers['content-encoding'] !== undefined)
    throw invalidAnswer('is compressed though nobody asked for that');
  const type = mediaType(headers['content-type']);
  if (type === 'text/event-stream' && status < 300) {
    return { kind: 'stream', begun: true, events: readEvents(body, maxBytes) };
  }
  if (type === 'application/json')
    return { kind: 'message', status, text: await readText(body, maxBytes, signal) };
  if (status === 202 || status === 204 || status === 405) {
    await discard(response);
    return { kind: 'none', status };
  }
  if (status < 300) throw invalidAnswer('is neither application/json nor text/event-stream');
  throw new Refusal(
    'upstream_invalid',
    `The MCP server answered with HTTP status ${status} and no JSON-RPC message.`,
    {
      status: status === 404 ? 404 : 502,
      as: -32603,
    },
  );
}

/** What a status means that the client must not take for ours: 401 and 403 would start a log-in that cannot help. */
export function checkStatus(status: number, link: UpstreamLink): void {
  if (status === 404 && link.sessionId !== undefined) {
    throw new Refusal(
      'session_not_found',
      'The MCP server no longer knows this session; send initialize to open a new one.',
      { status: 404, as: -32001 },
    );
  }
  if (status === 401 || status === 403) {
    throw new Refusal(
      'upstream_invalid',
      `The MCP server refused the gateway's own access (HTTP ${status}); its operator has to mend the credential.`,
      { status: 502, as: -32603 },
    );
  }
  if (status >= 300 && status < 400) {
    throw new Refusal(
      'upstream_invalid',
      `The MCP server answered with a redirect (HTTP ${status}), which is not followed.`,
      { status: 502, as: -32603 },
    );
  }
}

/** What of a body nobody wants is read, so that the connection serves again, up to here. */
const MAX_DISCARDED_BYTES = 128 * 1024;

export async function discard(response: HttpResponse): Promise<void> {
  if (Buffer.isBuffer(response.body)) return;
  await collect(response.body, MAX_DISCARDED_BYTES).catch(() => giveUp(response));
}

export function giveUp({ body }: HttpResponse): void {
  if (!Buffer.isBuffer(body)) body.destroy();
}

async function readText(body: Readable, maxBytes: number, signal: AbortSignal): Promise<string> {
  try {
    return utf8(await collect(body, maxBytes));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw signal.aborted ? aborted(signal) : unusable(cause, maxBytes);
  }
}

function utf8(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    if (cause instanceof JsonTextError) throw invalidAnswer('is not UTF-8');
    throw cause;
  }
}

function invalidAnswer(what: string): Refusal {
  return new Refusal('upstream_invalid', `The MCP server's answer cannot be used: it ${what}.`, {
    status: 502,
    as: -32603,
  });
}

export function notTaken(status: number): Refusal {
  return new Refusal('upstream_invalid', `The MCP server did not take the message (HTTP ${status}).`, {
    status: status < 500 ? 400 : 502,
    as: -32603,
  });
}

/** Why there is no answer, or none in one piece. */
export function unusable(cause: unknown, maxBytes: number): Refusal {
  if (cause instanceof TooMuch) {
    return invalidAnswer(`is larger than ${maxBytes} bytes; raise limits.maxBodyBytes to let it pass`);
  }
  return new Refusal(
    'upstream_unavailable',
    'The MCP server could not be reached, or hung up before it answered.',
    { status: 502, as: -32603, cause },
  );
}

/** The signal's reason is a Refusal where a deadline set it, else the client went away. */
export function aborted(signal: AbortSignal): Refusal {
  return signal.reason instanceof Refusal
    ? signal.reason
    : new Refusal('client_gone', 'The client hung up before the answer came.', { status: 499, as: -32603 });
}
