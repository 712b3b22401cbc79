/** Reads a store for people: whatever is readable, with a warning for what is not. `verify` is the strict reader. */
import { stat } from 'node:fs/promises';
import { sentenceOf } from '../../lib/errors.ts';
import { parseEntry } from '../../operator/record/entry.ts';
import { layout, listSegments, segmentName } from '../../operator/record/layout.ts';
import { parseRecordLine, type ReadLine } from '../../operator/record/record-line.ts';
import { readSegment, type SegmentLine } from '../../operator/record/segment-reader.ts';
import { UsageError } from '../io.ts';

export type Warn = (sentence: string) => void;

export interface ReadRecord {
  readonly from: string;
  readonly line: ReadLine;
  /** The entry, byte for byte, without the newline. */
  readonly bytes: Buffer;
}

/** Warnings beyond this are only counted. */
const MAX_WARNINGS = 10;

/** Throws UsageError when `store` is no directory of records. */
export async function checkStore(store: string): Promise<void> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(store)) {
    throw new UsageError(
      `--store ${visibleUrl(store)}: only directories are read in this version, no s3:// or other address.`,
    );
  }
  const there = await stat(layout.log(store)).catch(() => undefined);
  if (there?.isDirectory() !== true)
    throw new UsageError(`--store ${store} is no store of records: it has no directory "log".`);
}

/** Every record that can be read, in the order of the log. */
export async function* readRecords(store: string, warn: Warn): AsyncGenerator<ReadRecord, void, undefined> {
  let unreadable = 0;
  const complain = (place: string, why: string): void => {
    unreadable += 1;
    if (unreadable <= MAX_WARNINGS)
      warn(`${place} cannot be read (${why}); "gatehouse sessions verify" says more.`);
  };
  for (const number of await listSegments(store)) {
    for await (const line of linesOf(store, number, complain)) {
      const place = `${segmentName(number)} line ${line.number}`;
      const record = readable(line, (why) => {
        complain(place, why);
      });
      if (record !== undefined) yield record;
    }
  }
  if (unreadable > MAX_WARNINGS) warn(`${unreadable} lines in all cannot be read.`);
}

/** The end of a segment that cannot be read on, such as one with an endless line, is complained of and skipped. */
async function* linesOf(
  store: string,
  number: number,
  complain: (place: string, why: string) => void,
): AsyncGenerator<SegmentLine, void, undefined> {
  try {
    yield* readSegment(layout.segment(store, number));
  } catch (error) {
    complain(segmentName(number), sentenceOf(error));
  }
}

function readable(line: SegmentLine, complain: (why: string) => void): ReadRecord | undefined {
  const entry = parseEntry(line.bytes);
  if (entry === undefined) {
    complain('it is no entry');
    return undefined;
  }
  try {
    return { from: entry.from, line: parseRecordLine(entry.record), bytes: line.bytes };
  } catch (error) {
    complain(sentenceOf(error));
    return undefined;
  }
}

function visibleUrl(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, 200);
}
