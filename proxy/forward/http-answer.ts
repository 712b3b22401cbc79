/** What a server answered over HTTP, as an Answer or as the Refusal that it calls for. */
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { decodeUtf8, JsonTextError } from '../../lib/json/index.ts';
import { collect, TooMuch } from '../lib/collect.ts';
import { readEvents } from '../lib/sse.ts';
import { Refusal } from '../refusal.ts';
import type { Answer, UpstreamCall, UpstreamLink } from '../upstream.ts';

/** Reads what a server answered. Throws a Refusal for what is no MCP, and gives the body up then. */
export async function answerOf(
  response: Dispatcher.ResponseData,
  maxBytes: number,
  call: Omit<UpstreamCall, 'text'>,
): Promise<Answer> {
  try {
    checkStatus(response.statusCode, call.link);
    return await readAnswer(response, maxBytes, call);
  } catch (error) {
    response.body.destroy();
    throw error;
  }
}

async function readAnswer(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
  { signal }: Omit<UpstreamCall, 'text'>,
): Promise<Answer> {
  if (headers['content-encoding'] !== undefined)
    throw invalidAnswer('is compressed though nobody asked for that');
  const type = mediaType(headers['content-type']);
  if (type === 'text/event-stream' && status < 300) {
    return { kind: 'stream', begun: true, events: readEvents(body, maxBytes) };
  }
  if (type === 'application/json')
    return { kind: 'message', status, text: await readText(body, maxBytes, signal) };
  if (status === 202 || status === 204 || status === 405) {
    await body.dump();
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

function mediaType(header: string | string[] | undefined): string {
  return String(header ?? '')
    .split(';', 1)
    .join('')
    .trim()
    .toLowerCase();
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

async function readText(body: Readable, maxBytes: number, signal: AbortSignal): Promise<string> {
  try {
    return utf8(await collect(body, maxBytes));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    if (cause instanceof TooMuch) {
      throw invalidAnswer(`is larger than ${maxBytes} bytes; raise limits.maxBodyBytes to let it pass`);
    }
    throw signal.aborted ? aborted(signal) : unreachable(cause);
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

export function unreachable(cause: unknown): Refusal {
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
