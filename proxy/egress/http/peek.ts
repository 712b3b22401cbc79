/** Looks at what a connection begins with and leaves it there for whoever reads next. */
import type { Socket } from 'node:net';
import { readClientHello, type ClientHello } from './client-hello.ts';

/** Waits until `judge` has seen enough; undefined when the connection ends or is silent for too long. */
function peek<T>(
  socket: Socket,
  timeoutMs: number,
  judge: (bytes: Buffer) => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0);
    const finish = (value: T | undefined): void => {
      clearTimeout(late);
      socket.off('readable', look).off('end', stop).off('close', stop).off('error', stop);
      if (seen.length > 0 && !socket.destroyed) socket.unshift(seen);
      resolve(value);
    };
    const stop = (): void => finish(undefined);
    const look = (): void => {
      for (;;) {
        const chunk: unknown = socket.read();
        if (!Buffer.isBuffer(chunk)) return;
        seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
        const verdict = judge(seen);
        if (verdict === undefined) continue;
        finish(verdict);
        return;
      }
    };
    const late = setTimeout(stop, timeoutMs);
    socket.on('readable', look).once('end', stop).once('close', stop).once('error', stop);
    look();
  });
}

export function peekByte(socket: Socket, timeoutMs: number): Promise<number | undefined> {
  return peek(socket, timeoutMs, (bytes) => bytes[0]);
}

/** Undefined when nothing comes, or no end of it. */
export function peekClientHello(
  socket: Socket,
  timeoutMs: number,
): Promise<Exclude<ClientHello, { kind: 'partial' }> | undefined> {
  return peek(socket, timeoutMs, (bytes) => {
    const hello = readClientHello(bytes);
    return hello.kind === 'partial' ? undefined : hello;
  });
}
