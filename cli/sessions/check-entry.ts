/** What can be checked of one entry by itself, and of an entry after those before it in its stream. */
import { sentenceOf } from '../../lib/errors.ts';
import { FIRST_PREV } from '../../crds/control.ts';
import { entryHash, parseEntry, type Entry } from '../../operator/record/entry.ts';
import { bytesHash, parseRecordLine, type ReadLine } from '../../operator/record/record-line.ts';
import { RecordFault, type FaultPlace } from './fault.ts';

const STREAM = /"stream":"([A-Za-z0-9_-]{1,64})"/;
const SEQ = /"seq":(\d{1,15})/;
const SESSION = /"session":"([^"\\]{1,200})"/;

export interface CheckedEntry {
  readonly entry: Entry;
  readonly line: ReadLine;
  readonly place: FaultPlace;
}

/** Throws RecordFault unless the entry is well formed and its hash fits. */
export function checkEntry(bytes: Buffer, at: Pick<FaultPlace, 'file' | 'line'>): CheckedEntry {
  const place = { ...at, ...claims(bytes) };
  const entry = parseEntry(bytes);
  if (entry === undefined) throw new RecordFault(place, 'it does not have the form of an entry');
  if (entryHash(entry.from, entry.record) !== entry.hash) {
    throw new RecordFault(place, 'its hash does not fit what it says: it was changed');
  }
  try {
    return { entry, line: parseRecordLine(entry.record), place };
  } catch (error) {
    throw new RecordFault(place, `it is no record: ${sentenceOf(error)}`);
  }
}

interface StreamEnd {
  readonly next: number;
  readonly hash: string;
  readonly from: string;
  readonly place: FaultPlace;
}

/** Follows every stream from entry to entry. */
export class Chains {
  readonly #ends = new Map<string, StreamEnd>();
  /** Whether older entries were dropped, so that a stream may begin in its middle. */
  readonly #truncated: boolean;

  constructor(truncated: boolean) {
    this.#truncated = truncated;
  }

  get streams(): number {
    return this.#ends.size;
  }

  /** Throws RecordFault unless the entry continues its stream. */
  follow({ entry, line, place }: CheckedEntry): void {
    const end = this.#ends.get(line.stream);
    const flaw = end === undefined ? this.#flawAtStart(line) : flawAfter(end, entry, line);
    if (flaw !== undefined) throw new RecordFault(place, flaw);
    this.#ends.set(line.stream, {
      next: line.seq + 1,
      hash: bytesHash(entry.record),
      from: entry.from,
      place,
    });
  }

  #flawAtStart({ seq, prev }: ReadLine): string | undefined {
    if (seq === 0)
      return prev === FIRST_PREV ? undefined : 'it is the first of its stream and names one before it';
    return this.#truncated ? undefined : `its stream begins with it, so ${seq} records before it are missing`;
  }
}

function flawAfter(end: StreamEnd, entry: Entry, { seq, prev }: ReadLine): string | undefined {
  const before = `${end.place.file} line ${end.place.line ?? 0}`;
  if (seq > end.next) return `${seq - end.next} records of its stream are missing between ${before} and it`;
  if (seq < end.next)
    return `its stream was at ${end.next} already (${before}): it is out of order or doubled`;
  if (prev !== end.hash) return `it does not name the hash of the record before it in its stream (${before})`;
  return entry.from === end.from
    ? undefined
    : `it came from ${entry.from}, but its stream is that of ${end.from}`;
}

/** What a record says of itself, read without trust from bytes that may be broken. */
function claims(bytes: Buffer): Pick<FaultPlace, 'stream' | 'seq' | 'session'> {
  const text = bytes.toString('utf8', 0, 8192);
  const stream = STREAM.exec(text)?.[1];
  const seq = SEQ.exec(text)?.[1];
  const session = SESSION.exec(text)?.[1];
  return {
    ...(stream === undefined ? {} : { stream }),
    ...(seq === undefined ? {} : { seq: Number(seq) }),
    ...(session === undefined ? {} : { session }),
  };
}
