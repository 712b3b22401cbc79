/** Ends TLS for the hosts whose calls get credentials, with the certificate that the pod's CA made for them. */
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type TLSSocket } from 'node:tls';
import type { Inside } from './serve-http1.ts';

export interface TlsEndsOptions {
  readonly contextFor: (host: string) => SecureContext;
  readonly handshakeMs: number;
  readonly onOpened: (opened: TLSSocket, inside: Inside) => void;
}

export interface TlsEnds {
  /** The client has been seen to ask for `inside.opened`. What it sent so far must still be there to be read. */
  open(socket: Socket, inside: Inside): void;
}

export function createTlsEnds({ contextFor, handshakeMs, onOpened }: TlsEndsOptions): TlsEnds {
  /** By the client's own end of the connection, which nobody else has while it is open. */
  const waiting = new Map<string, Inside>();
  const server = createServer({
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeMs,
    SNICallback: (name, done) => {
      // OpenSSL's reading of the name must be ours: a context is made for hosts that were let through alone.
      const known = [...waiting.values()].some(({ opened }) => opened.host === name.toLowerCase());
      if (known) done(null, contextFor(name.toLowerCase()));
      else done(new Error('This name was not asked for.'));
    },
  });
  server.on('secureConnection', (opened) => {
    const end = endOf(opened);
    const inside = waiting.get(end);
    waiting.delete(end);
    if (inside === undefined || opened.servername !== inside.opened.host) opened.destroy();
    else {
      opened.on('error', () => opened.destroy());
      onOpened(opened, inside);
    }
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return {
    open: (socket, inside) => {
      const end = endOf(socket);
      waiting.set(end, inside);
      socket.once('close', () => waiting.delete(end));
      server.emit('connection', socket);
    },
  };
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}
