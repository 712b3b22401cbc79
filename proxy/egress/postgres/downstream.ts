/** Opens a connection of the server: TLS where it asks for it, and any user and password. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import { WireError } from './errors.ts';
import { cstring, Fields, int32, message, NO, YES } from './messages.ts';
import { MAX_STARTUP_BYTES, readFirstPacket, type FirstPacket, type Startup } from './startup.ts';
import { takeBytes, takeMessage } from './socket-bytes.ts';

export interface OpenOptions {
  /** What TLS is offered with; undefined: it is answered with N. */
  readonly tls: SecureContext | undefined;
  /** Whether the password is asked for, because it tells whose connection it is. */
  readonly asksPassword: boolean;
}

export interface Opened {
  readonly socket: Duplex;
  readonly startup: Startup;
  /** What the client gave as its password; undefined where it was not asked. */
  readonly password: string | undefined;
}

type Cancel = Extract<FirstPacket, { kind: 'cancel' }>;

/** TLS record type of a handshake: the client begins TLS without asking (sslnegotiation=direct). */
const TLS_HANDSHAKE = 0x16;
const ALPN = ['postgresql'];
/** Highest minor version that is spoken: 3.2 has longer keys to cancel with. */
const MINOR = 2;
/** An attempt at TLS and one at GSS, in any order, and then it is the startup packet's turn. */
const MAX_PACKETS = 3;

/**
 * Reads the startup phase up to where the client waits to be let in. Throws WireError with a sentence for the client;
 * `onSocket` is told every socket that takes the place of the one before, since an error goes there.
 */
export async function openDownstream(
  raw: Socket,
  options: OpenOptions,
  onSocket: (socket: Duplex) => void,
): Promise<Opened | Cancel> {
  const first = await takeBytes(raw, 1);
  raw.unshift(first);
  let socket: Duplex = raw;
  const secure = async (): Promise<void> => {
    socket = await secured(raw, options.tls);
    onSocket(socket);
  };
  if (first[0] === TLS_HANDSHAKE) await secure();
  for (let packets = 0; packets < MAX_PACKETS; packets += 1) {
    const packet = readFirstPacket(await takePacket(socket));
    if (packet.kind === 'cancel') return packet;
    if (packet.kind === 'startup') return admit(socket, packet, options);
    // Whatever came in the clear behind the request would be taken for what was said under TLS.
    if (socket.readableLength > 0)
      throw new WireError('08P01', 'There were bytes behind a request for encryption.');
    const takenUp = packet.kind === 'tls' && options.tls !== undefined && socket === raw;
    socket.write(takenUp ? YES : NO);
    if (takenUp) await secure();
  }
  throw new WireError('08P01', 'The client asked for encryption again and again and never began.');
}

async function admit(socket: Duplex, startup: Startup, { asksPassword }: OpenOptions): Promise<Opened> {
  return { socket, startup, password: asksPassword ? await askPassword(socket) : undefined };
}

/** Says which version of the protocol is spoken, where it is not what was asked for. */
export function negotiation({ minor, protocolOptions }: Startup): readonly Buffer[] {
  if (minor <= MINOR && protocolOptions.length === 0) return [];
  const version = (3 << 16) | Math.min(minor, MINOR);
  return [
    message(
      'v',
      int32(version),
      int32(protocolOptions.length),
      ...protocolOptions.map((name) => cstring(name)),
    ),
  ];
}

async function takePacket(socket: Duplex): Promise<Buffer> {
  const length = (await takeBytes(socket, 4)).readUInt32BE() - 4;
  if (length < 4 || length > MAX_STARTUP_BYTES)
    throw new WireError('08P01', 'The first packet of the connection has a length that cannot be.');
  return takeBytes(socket, length);
}

/** In the clear: the connection is on loopback or under TLS, and no password opens anything here. */
async function askPassword(socket: Duplex): Promise<string> {
  socket.write(message('R', int32(3)));
  const { type, body } = await takeMessage(socket, MAX_STARTUP_BYTES);
  if (type !== 'p')
    throw new WireError('08P01', 'The client was asked for a password and sent something else.');
  return new Fields(body).text();
}

async function secured(raw: Socket, secureContext: SecureContext | undefined): Promise<TLSSocket> {
  if (secureContext === undefined) throw new WireError('08P01', 'This listener offers no TLS.');
  const socket = new TLSSocket(raw, { isServer: true, secureContext, ALPNProtocols: ALPN });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const failed = (cause?: unknown): void =>
    reject(new WireError('08006', 'The client and this listener found no way to speak TLS.', { cause }));
  socket
    .once('secure', () => resolve(undefined))
    .once('close', failed)
    .once('error', failed);
  try {
    await promise;
  } finally {
    socket.off('close', failed).off('error', failed);
  }
  return socket;
}
