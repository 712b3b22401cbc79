/** What becomes of lines that the recorder will not take under the stream they were written for. */
import { appendFileSync } from 'node:fs';
import type { StreamSpool } from './stream-spool.ts';

/** The start of every line up to its event: fixed text around a name, a number and a hash. */
const ENVELOPE = /^\{"stream":"[A-Za-z0-9_-]{1,64}","seq":\d{1,15},"prev":"[0-9a-f]{64}","event":/;

interface EventSink {
  append(event: string): void;
}

/** Moves every line of `from`, one by one, so that a full disk in between neither loses nor doubles one. */
export function moveLines(from: StreamSpool, to: EventSink): void {
  for (let batch = from.read(1); batch !== undefined; batch = from.read(1)) {
    to.append(eventOf(batch.body.toString('utf8').trimEnd()));
    from.delivered(batch);
  }
}

/** Keeps lines that nothing will take for a person to look at. */
export function setAside(path: string, lines: Buffer): void {
  appendFileSync(path, lines, { mode: 0o600 });
}

/** The JSON text of a line's event. A line without an envelope moves whole, as a string: it is evidence still. */
function eventOf(line: string): string {
  const envelope = ENVELOPE.exec(line)?.[0];
  return envelope === undefined ? JSON.stringify(line) : line.slice(envelope.length, -1);
}
