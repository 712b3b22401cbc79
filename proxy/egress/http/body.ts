/** Moves a body from one connection to the other as it comes, at the pace of the slower one. */
import type { Readable, Writable } from 'node:stream';
import type { Echo } from './echo.ts';

/** `end` is called once the source has ended whole; what breaks off is for the callers of both streams to see. */
export function pump(source: Readable, sink: Writable, echo: Echo | undefined, end: () => void): void {
  const write = (chunk: Buffer): void => {
    if (chunk.length > 0 && !sink.write(chunk)) source.pause();
  };
  const through = echo === undefined || echo.isEmpty ? undefined : echo;
  source.on('data', (chunk: Buffer) => write(through === undefined ? chunk : through.push(chunk)));
  sink.on('drain', () => source.resume());
  source.once('end', () => {
    if (through !== undefined) write(through.flush());
    end();
  });
}
