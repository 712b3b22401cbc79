import { isUtf8 } from 'node:buffer';
import { GatehouseError } from '../../lib/errors.ts';

export class LineError extends GatehouseError {
  readonly code = 'line_invalid';
}

/** Hands on every line as it is complete, without its line break. Throws LineError for one that is too long or not UTF-8. */
export async function readLines(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
  onLine: (line: string) => void,
): Promise<void> {
  for await (const bytes of linesOf(stream, maxBytes)) {
    if (bytes === TOO_LONG) throw new LineError(`it wrote a line of more than ${maxBytes} bytes`);
    if (!isUtf8(bytes)) throw new LineError('it wrote a line that is not UTF-8');
    tell(bytes.toString('utf8'), onLine);
  }
}

/**
 * Hands on every line of what nobody answers for, as a program's stderr: of a line that is too long only that it came,
 * and what is not UTF-8 as replacement characters. Reads to the end, so that whoever writes is never held up.
 */
export async function readNoise(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
  onLine: (line: string) => void,
): Promise<void> {
  for await (const bytes of linesOf(stream, maxBytes))
    tell(bytes === TOO_LONG ? `(a line of more than ${maxBytes} bytes)` : bytes.toString('utf8'), onLine);
}

const TOO_LONG = Symbol('a line that is too long');

async function* linesOf(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Buffer | typeof TOO_LONG> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      held.push(chunk.subarray(from, at));
      if (size <= maxBytes) yield Buffer.concat(held);
      held = [];
      size = 0;
      from = at + 1;
    }
    const wasShort = size <= maxBytes;
    size += chunk.length - from;
    if (size <= maxBytes) held.push(chunk.subarray(from));
    else {
      held = [];
      if (wasShort) yield TOO_LONG;
    }
  }
  if (size > 0 && size <= maxBytes) yield Buffer.concat(held);
}

function tell(text: string, onLine: (line: string) => void): void {
  const line = text.replace(/\r$/, '');
  if (line !== '') onLine(line);
}
