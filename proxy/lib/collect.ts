import type { Readable } from 'node:stream';
import { GatehouseError } from '../../lib/errors.ts';

/** The stream holds more than was allowed; the rest of it has not been read. */
export class TooMuch extends GatehouseError {
  readonly code = 'too_much';
}

/**
 * All bytes of a stream, at most `maxBytes`; rejects with TooMuch past that, and with an error when the stream ends
 * before it is complete. By events, because an iterator over a stream costs more than the rest of a small request.
 */
export function collect(stream: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= maxBytes) return;
      stream.pause();
      reject(new TooMuch(`The stream holds more than ${maxBytes} bytes.`));
    });
    stream.once('end', () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    });
    stream.once('error', reject);
    // Every stream closes; an error with its stack is made for those that had not ended.
    stream.once('close', () => {
      if (!stream.readableEnded) reject(new Error('The stream was closed before it ended.'));
    });
  });
}
