/** A connection to the database under TLS that is verified, or none. */
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { sentenceOf } from '../../../../lib/errors.ts';
import { contextTrusting } from '../../../lib/roots.ts';
import { EgressRefused } from '../../refused.ts';
import { WireError } from '../errors.ts';
import { int32, message } from '../messages.ts';
import { takeBytes } from '../socket-bytes.ts';

export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Roots that vouch for the database, PEM, one each; those of Node where absent. */
  readonly roots: readonly string[] | undefined;
}

/** Opens a TCP connection. Rejects when there is none to be had. */
export type Dial = (host: string, port: number) => Promise<Socket>;

const SSL_REQUEST = message(undefined, int32(80_877_103));
const SAYS_YES = 'S';

/** Throws WireError: the database is away, speaks no TLS, or is not who it should be. */
export async function connectUpstream(
  upstream: Upstream,
  dial: Dial,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = await dialled(upstream, dial);
  const give = (): void => void socket.destroy(new Error('It took too long.'));
  signal.addEventListener('abort', give, { once: true });
  try {
    return await secured(socket, upstream);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', give);
  }
}

async function dialled({ host, port }: Upstream, dial: Dial): Promise<Socket> {
  try {
    return await dial(host, port);
  } catch (cause) {
    const why = cause instanceof EgressRefused ? sentenceOf(cause) : `${codeOf(cause)}.`;
    throw new WireError('08001', `The database at ${host}:${port} cannot be reached: ${why}`, { cause });
  }
}

async function secured(socket: Socket, { host, port, roots }: Upstream): Promise<TLSSocket> {
  const quiet = (): void => undefined;
  socket.on('error', quiet);
  socket.setNoDelay(true).write(SSL_REQUEST);
  const answer = (await takeBytes(socket, 1)).toString('latin1');
  if (answer !== SAYS_YES)
    throw new WireError(
      '08001',
      `The database at ${host}:${port} speaks no TLS; turn it on there ("ssl = on"), it is not talked to in the clear.`,
    );
  // Whatever came in the clear behind the answer would be taken for what the database said under TLS.
  if (socket.readableLength > 0)
    throw new WireError('08001', `The database at ${host}:${port} sent bytes before TLS had begun.`);
  // With a socket given, only `host` tells whose name the certificate must bear. An address is no server name (RFC 6066).
  const tls = connectTls({
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(roots === undefined ? {} : { secureContext: contextTrusting(roots) }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const failed = (cause?: Error): void =>
    reject(
      new WireError(
        '08001',
        `The database at ${host}:${port} could not show by TLS that it is ${host}: ${reasonOf(cause)}.`,
        { cause },
      ),
    );
  const closed = (): void => failed();
  tls
    .once('secureConnect', () => resolve(undefined))
    .once('error', failed)
    .once('close', closed);
  try {
    await promise;
    return tls;
  } finally {
    tls.off('error', failed).off('close', closed);
  }
}

function reasonOf(cause: unknown): string {
  return cause === undefined ? 'it closed the connection' : sentenceOf(cause).replace(/\.$/, '');
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
}
