/** Reads a segment line by line in bounded memory. */
import { open } from 'node:fs/promises';
import { GatehouseError } from '../../lib/errors.ts';
import { MAX_ENTRY_BYTES } from './layout.ts';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;

export interface SegmentLine {
  /** From 1. */
  readonly number: number;
  /** Without the newline. */
  readonly bytes: Buffer;
  /** Offset in the file of the byte after the newline, or after the last byte. */
  readonly end: number;
  /** False for a last line without a newline. */
  readonly whole: boolean;
}

export class LineTooLong extends GatehouseError {
  readonly code = 'line_too_long';
}

/** All lines of the file, as long as it is at the moment each chunk is read. Throws LineTooLong, and errors of the disk. */
export async function* readSegment(path: string): AsyncGenerator<SegmentLine, void, undefined> {
  const file = await open(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    let end = 0;
    let number = 1;
    for (let position = 0; ;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const data =
        rest.length === 0
          ? chunk.subarray(0, bytesRead)
          : Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let start = 0;
      for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, start)) {
        end += at + 1 - start;
        yield { number, bytes: data.subarray(start, at), end, whole: true };
        number += 1;
        start = at + 1;
      }
      rest = data.subarray(start);
      if (rest.length > MAX_ENTRY_BYTES) throw new LineTooLong(`line ${number} is longer than any entry`);
    }
    if (rest.length > 0) yield { number, bytes: rest, end: end + rest.length, whole: false };
  } finally {
    await file.close();
  }
}
