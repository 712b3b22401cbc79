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
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      held.push(chunk.subarray(from, at));
      onLineOf(Buffer.concat(held), onLine);
      held = [];
      size = 0;
      from = at + 1;
    }
    held.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > maxBytes) throw new LineError(`it wrote a line of more than ${maxBytes} bytes`);
  }
  if (size > 0) onLineOf(Buffer.concat(held), onLine);
}

function onLineOf(bytes: Buffer, onLine: (line: string) => void): void {
  if (!isUtf8(bytes)) throw new LineError('it wrote a line that is not UTF-8');
  const line = bytes.toString('utf8').replace(/\r$/, '');
  if (line !== '') onLine(line);
}
