/**
 * How a store lies on disk. The recorder writes it, `gatehouse sessions` reads it.
 *
 *   key.pub                    the log's verifier key, one line
 *   checkpoint                 the newest signed checkpoint: all that was ever acknowledged
 *   log/00000001.jsonl         a segment: one entry a line, the oldest first
 *   log/00000001.checkpoint    the checkpoint at the end of a closed segment
 *   log/start                  once segments have been dropped for their age: where the log begins
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const DIGITS = 8;
const SEGMENT = /^(\d{8})\.jsonl$/;

/** No line of a segment is longer; a reader may stop there. */
export const MAX_ENTRY_BYTES = 17 * 1024 * 1024;

export const layout = {
  key: (store: string) => join(store, 'key.pub'),
  checkpoint: (store: string) => join(store, 'checkpoint'),
  log: (store: string) => join(store, 'log'),
  start: (store: string) => join(store, 'log', 'start'),
  segment: (store: string, number: number) => join(store, 'log', segmentName(number)),
  segmentCheckpoint: (store: string, number: number) => join(store, 'log', `${padded(number)}.checkpoint`),
};

/** The name within `log/`. */
export function segmentName(number: number): string {
  return `${padded(number)}.jsonl`;
}

/** The numbers of the segments that are there, ascending. */
export async function listSegments(store: string): Promise<number[]> {
  const names = await readdir(layout.log(store));
  return names
    .flatMap((name) => SEGMENT.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function padded(number: number): string {
  return String(number).padStart(DIGITS, '0');
}
