/** To a host that is allowed and has no credential: bytes pass as they are. */
import type { Socket } from 'node:net';
import { formatDestination, normalHost, type Destination } from '../destination.ts';
import { EgressRefused } from '../refused.ts';
import { pump } from './body.ts';
import { recordRefusal } from './call.ts';
import { TLS_HANDSHAKE } from './client-hello.ts';
import type { EgressGateway } from './gateway.ts';
import { peekByte, peekClientHello } from './peek.ts';

export interface TunnelOptions {
  readonly handshakeMs: number;
  /** What the client is told when the upstream is there. */
  readonly before?: string;
}

/** Resolves when both ends are connected; throws EgressRefused before that. */
export async function tunnel(
  socket: Socket,
  gateway: EgressGateway,
  destination: Destination,
  { handshakeMs, before }: TunnelOptions,
): Promise<void> {
  const startedAt = gateway.deps.now();
  const upstream = await gateway.upstreams.tunnel(destination);
  upstream.on('error', () => socket.destroy());
  try {
    gateway.deps.record({
      destination: formatDestination(destination),
      what: 'CONNECT',
      decision: 'allow',
      reason: undefined,
      credential: undefined,
      status: undefined,
      owner: undefined,
      startedAt,
    });
  } catch (error) {
    upstream.destroy();
    throw error;
  }
  if (before !== undefined) socket.write(before);
  pump(upstream, socket, undefined, () => socket.end());
  socket.on('error', () => upstream.destroy());
  socket.once('close', () => upstream.destroy());
  upstream.once('close', () => {
    if (!socket.destroyed) socket.end();
  });
  void passOn();

  /** The upstream may speak first, so the client's first bytes are waited for beside. */
  async function passOn(): Promise<void> {
    const reason = await contradiction();
    if (reason !== undefined) {
      recordRefusal(gateway, destination, 'CONNECT', new EgressRefused('misdirected', reason));
      upstream.destroy();
      socket.destroy();
      return;
    }
    pump(socket, upstream, undefined, () => upstream.end());
  }

  /** TLS that asks for another host than the tunnel was opened to. */
  async function contradiction(): Promise<string | undefined> {
    const first = await peekByte(socket, FIRST_BYTE_MS);
    if (first !== TLS_HANDSHAKE) return undefined;
    const hello = await peekClientHello(socket, handshakeMs);
    if (hello?.kind !== 'hello') return 'What began as TLS did not go on as TLS.';
    const { serverName } = hello;
    return serverName === undefined || normalHost(serverName) === destination.host
      ? undefined
      : `The tunnel is to ${formatDestination(destination)}, and the TLS inside of it asks for another host.`;
  }
}

/** A client that lets the upstream speak first may take its time. */
const FIRST_BYTE_MS = 2 ** 31 - 1;
