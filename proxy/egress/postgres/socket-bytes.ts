/** Reads known numbers of bytes from a socket; what comes after them stays in the socket. */
import type { Duplex } from 'node:stream';
import { WireError } from './errors.ts';

/** Resolves with exactly `count` bytes. Throws WireError when the connection ends before. */
export async function takeBytes(socket: Duplex, count: number): Promise<Buffer> {
  if (count === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes: unknown = socket.read(count);
    if (Buffer.isBuffer(bytes) && bytes.length === count) return bytes;
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw ended(socket.errored);
    await readableOrOver(socket);
  }
}

/** A message behind the startup phase, as its type and its body. */
export async function takeMessage(
  socket: Duplex,
  maxBytes: number,
): Promise<{ readonly type: string; readonly body: Buffer }> {
  const head = await takeBytes(socket, 5);
  const length = head.readUInt32BE(1) - 4;
  if (length < 0 || length > maxBytes)
    throw new WireError('08P01', 'A message of the PostgreSQL protocol has a length that cannot be.');
  return { type: String.fromCharCode(head[0] ?? 0), body: await takeBytes(socket, length) };
}

function readableOrOver(socket: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const done = (): void => resolve(undefined);
  const events = ['readable', 'end', 'error', 'close'];
  for (const event of events) socket.once(event, done);
  return promise.finally(() => {
    for (const event of events) socket.off(event, done);
  });
}

function ended(cause: unknown): WireError {
  return new WireError('08006', 'The connection ended in the middle of its beginning.', { cause });
}
