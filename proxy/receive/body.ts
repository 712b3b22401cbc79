/** Bytes of a POST → text, within bounds. */
import type { IncomingMessage } from 'node:http';
import { JsonTextError, decodeUtf8 } from '../../lib/json/index.ts';
import { collect, TooMuch } from '../lib/collect.ts';
import { Refusal } from '../refusal.ts';

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;

/** Reads a JSON body of at most `maxBytes`. Throws a Refusal for anything else. */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  checkMediaType(request.headers['content-type']);
  checkEncoding(request.headers['content-encoding']);
  const bytes = await readBytes(request, maxBytes);
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new Refusal('bad_request', error.message, { status: 400, as: PARSE_ERROR, cause: error });
  }
}

/** The bytes of a body, counted while they come: a length header is a hint, not a promise. */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  try {
    return await collect(request, maxBytes);
  } catch (cause) {
    if (cause instanceof TooMuch) throw tooLarge(maxBytes);
    throw new Refusal('client_gone', 'The client hung up before its request was complete.', {
      status: 400,
      as: PARSE_ERROR,
      cause,
    });
  }
}

function checkMediaType(header: string | undefined): void {
  const type = header?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new Refusal(
    'unsupported_media_type',
    `A message is sent as Content-Type application/json, not ${type === undefined ? 'without one' : JSON.stringify(type)}.`,
    { status: 415, as: INVALID_REQUEST },
  );
}

/** A compressed body would be read twice, once here and once by the server; the second reading might differ. */
function checkEncoding(header: string | undefined): void {
  if (header === undefined || header.trim().toLowerCase() === 'identity') return;
  throw new Refusal(
    'unsupported_media_type',
    'Compressed request bodies are not taken; send the message without Content-Encoding.',
    {
      status: 415,
      as: INVALID_REQUEST,
    },
  );
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(
    'too_large',
    `The body is larger than the ${maxBytes} bytes this gateway takes (limits.maxBodyBytes).`,
    {
      status: 413,
      as: INVALID_REQUEST,
      headers: { Connection: 'close' },
    },
  );
}
