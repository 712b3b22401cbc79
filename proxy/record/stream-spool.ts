/** The undelivered lines of one stream, over as many spool files as they need. */
import { RecorderUnavailable } from './errors.ts';
import type { RecorderLimits } from './limits.ts';
import { SpoolFile, spoolPath } from './spool-file.ts';

const NEWLINE = 0x0a;
/** How exactly the age of the oldest line is known, milliseconds. */
const AGE_STEP_MS = 250;

export interface Batch {
  /** Sequence number of the first line. */
  readonly first: number;
  readonly count: number;
  /** Whole lines, each with its newline. */
  readonly body: Buffer;
}

interface Mark {
  readonly seq: number;
  readonly at: number;
}

export class StreamSpool {
  readonly stream: string;
  readonly #directory: string;
  readonly #limits: RecorderLimits;
  readonly #files: SpoolFile[];
  /** Sequence number of the oldest undelivered line, and where it starts in the first file. */
  #next: number;
  #offset = 0;
  #pending: number;
  #marks: Mark[] = [];

  constructor(
    at: { directory: string; stream: string; limits: RecorderLimits; now: number },
    left?: Leftover,
  ) {
    this.stream = at.stream;
    this.#directory = at.directory;
    this.#limits = at.limits;
    this.#files = left === undefined ? [] : [left.file];
    this.#next = left?.first ?? 0;
    this.#pending = this.#files.reduce((sum, file) => sum + file.bytes, 0);
    if (this.#pending > 0) this.#marks.push({ seq: this.#next, at: at.now });
  }

  get next(): number {
    return this.#next;
  }

  /** Undelivered bytes. */
  get pending(): number {
    return this.#pending;
  }

  /** When the oldest undelivered line was written; undefined when all are delivered. */
  get oldestAt(): number | undefined {
    return this.#pending === 0 ? undefined : this.#marks[0]?.at;
  }

  append(seq: number, line: Buffer, now: number): void {
    this.#fileFor(seq).append(line);
    const last = this.#marks.at(-1);
    if (this.#pending === 0) this.#marks = [{ seq, at: now }];
    else if (last === undefined || now - last.at >= AGE_STEP_MS) this.#marks.push({ seq, at: now });
    this.#pending += line.length;
  }

  /** The oldest undelivered lines; undefined when there are none. */
  read(maxLines: number): Batch | undefined {
    this.#dropDelivered();
    const file = this.#files[0];
    if (file === undefined || this.#pending === 0) return undefined;
    const chunk = file.read(this.#offset, this.#limits.batchBytes);
    const { count, end } = countLines(chunk, maxLines);
    if (count === 0)
      throw new RecorderUnavailable(`${file.path} was cut short by someone else while it was in use.`);
    return { first: this.#next, count, body: chunk.subarray(0, end) };
  }

  /** The batch that `read` gave last is delivered, or moved elsewhere. */
  delivered(batch: Batch): void {
    this.#next += batch.count;
    this.#offset += batch.body.length;
    this.#pending -= batch.body.length;
    while (this.#marks[1] !== undefined && this.#marks[1].seq <= this.#next) this.#marks.shift();
    this.#dropDelivered();
  }

  /** Everything before `seq` is delivered. */
  deliveredTo(seq: number): void {
    while (this.#next < seq) {
      const batch = this.read(seq - this.#next);
      if (batch === undefined) return;
      this.delivered(batch);
    }
  }

  /** Removes the files when all is delivered, else leaves them for the next process. */
  close(): void {
    for (const file of this.#files) {
      if (this.#pending === 0) file.remove();
      else file.close();
    }
    this.#files.length = 0;
  }

  #fileFor(seq: number): SpoolFile {
    const last = this.#files.at(-1);
    if (last !== undefined && last.bytes < this.#limits.fileBytes) return last;
    const file = SpoolFile.create(spoolPath(this.#directory, this.stream, seq));
    this.#files.push(file);
    return file;
  }

  #dropDelivered(): void {
    for (
      let first = this.#files[0];
      first !== undefined && this.#offset >= first.bytes;
      first = this.#files[0]
    ) {
      // The last file may still grow; it goes when it is full.
      if (this.#files.length === 1 && first.bytes < this.#limits.fileBytes) return;
      first.remove();
      this.#files.shift();
      this.#offset = 0;
    }
  }
}

/** A file of an earlier process. Each is delivered by itself, so that a missing one is seen as the gap it is. */
export interface Leftover {
  readonly first: number;
  readonly file: SpoolFile;
}

function countLines(chunk: Buffer, maxLines: number): { count: number; end: number } {
  let count = 0;
  let end = 0;
  while (count < maxLines) {
    const newline = chunk.indexOf(NEWLINE, end);
    if (newline < 0) break;
    end = newline + 1;
    count += 1;
  }
  return { count, end };
}
