/** Sends a call on over HTTP/1.1, and again where that cannot do anything twice. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { sentenceOf } from '../../../lib/errors.ts';
import { formatDestination } from '../destination.ts';
import { EgressRefused } from '../refused.ts';
import { pump } from './body.ts';
import type { Call } from './call.ts';
import { flat, without, type Headers } from './headers.ts';
import type { Carrier } from './swap.ts';

/** What the client is still sending. */
export interface Sending {
  /** Undefined where the request has no body. */
  readonly body: Readable | undefined;
  /** Known once the body has ended. */
  readonly trailers: () => Headers;
  /** Its body has no announced length. */
  readonly chunked: boolean;
  /** The upstream wants the body (100 Continue). */
  readonly onContinue?: () => void;
  /** The client asks for another protocol on this connection. */
  readonly upgrade?: string;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export type Http1Answer =
  | {
      readonly kind: 'response';
      readonly response: IncomingMessage;
      readonly carrier: Carrier;
    }
  | {
      readonly kind: 'switched';
      readonly response: IncomingMessage;
      readonly carrier: Carrier;
      readonly socket: Duplex;
      readonly head: Buffer;
    };

const UNAUTHORIZED = 401;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT']);

/** Throws EgressRefused when there is no answer to be had. */
export async function sendHttp1(call: Call, sending: Sending): Promise<Http1Answer> {
  const repeatable = IDEMPOTENT.has(call.ask.method) && sending.body === undefined;
  let answer = await attempt(call, sending, repeatable);
  if (answer.response.statusCode === UNAUTHORIZED && call.carriesCredential) {
    const renewed = await call.renew();
    if (renewed && repeatable) {
      answer.response.resume();
      answer = await attempt(call, sending, repeatable);
    }
  }
  return answer;
}

/** A pooled connection may have been closed by the other side just now; that is no answer, and asked once more. */
async function attempt(call: Call, sending: Sending, repeatable: boolean): Promise<Http1Answer> {
  try {
    return await exchange(call, sending);
  } catch (error) {
    if (error instanceof StaleConnection && repeatable) return exchange(call, sending);
    if (error instanceof EgressRefused) throw error;
    throw unreachable(call, error);
  }
}

class StaleConnection extends Error {}

async function exchange(call: Call, sending: Sending): Promise<Http1Answer> {
  const { destination, method, secure } = call.ask;
  const carrier = call.outgoing;
  const outgoing = request({
    method,
    path: carrier.path,
    host: destination.host,
    port: destination.port,
    agent: call.gateway.upstreams.agent(call.pool, secure),
    headers: flat(framed(carrier.headers, call, sending)),
    signal: sending.signal,
  });
  // Whoever waits gets it; afterwards the answer's own stream tells.
  outgoing.on('error', () => undefined);
  if (sending.onContinue !== undefined) outgoing.on('continue', sending.onContinue);
  const arrived = answerTo(outgoing);
  outgoing.flushHeaders();
  sendBody(outgoing, sending);
  try {
    return { ...(await arrived), carrier };
  } catch (cause) {
    outgoing.destroy();
    throw outgoing.reusedSocket ? new StaleConnection('', { cause }) : cause;
  }
}

type Arrived =
  | { readonly kind: 'response'; readonly response: IncomingMessage }
  | {
      readonly kind: 'switched';
      readonly response: IncomingMessage;
      readonly socket: Duplex;
      readonly head: Buffer;
    };

function answerTo(outgoing: ClientRequest): Promise<Arrived> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (response) => resolve({ kind: 'response', response }));
    outgoing.once('upgrade', (response, socket, head) =>
      resolve({ kind: 'switched', response, socket, head }),
    );
  });
}

function sendBody(outgoing: ClientRequest, { body, trailers, chunked }: Sending): void {
  if (body === undefined) {
    outgoing.end();
    return;
  }
  pump(body, outgoing, undefined, () => {
    const last = trailers();
    if (chunked && last.length > 0)
      outgoing.addTrailers(last.map(([name, value]): [string, string] => [name, value]));
    outgoing.end();
  });
}

/** How the message is framed is this connection's own affair. */
function framed(headers: Headers, { ask }: Call, sending: Sending): Headers {
  const { destination, secure } = ask;
  const usual = destination.port === (secure ? 443 : 80);
  const host = usual ? formatDestination(destination).replace(/:\d+$/, '') : formatDestination(destination);
  return [
    ['Host', host],
    ...without(headers, 'host'),
    ...(sending.chunked ? ([['Transfer-Encoding', 'chunked']] as const) : []),
    ...(sending.upgrade === undefined
      ? ([['Connection', 'keep-alive']] as const)
      : ([
          ['Connection', 'Upgrade'],
          ['Upgrade', sending.upgrade],
        ] as const)),
  ];
}

function unreachable(call: Call, cause: unknown): EgressRefused {
  return new EgressRefused(
    'upstream_unavailable',
    `${formatDestination(call.ask.destination)} did not answer: ${sentenceOf(cause)}.`,
    { cause },
  );
}
