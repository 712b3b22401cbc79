/** One stream's undelivered lines on disk: files that are appended to at the end and removed from the front. */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const NEWLINE = 0x0a;
const SEQ_DIGITS = 15;
const SPOOL_FILE = /^([A-Za-z0-9_-]{1,64})\.(\d{15})\.jsonl$/;

/** What a spool file's name says: whose lines it holds and the sequence number of the first. */
export function parseSpoolName(name: string): { stream: string; first: number } | undefined {
  const [, stream, first] = SPOOL_FILE.exec(name) ?? [];
  return stream === undefined ? undefined : { stream, first: Number(first) };
}

export function spoolPath(directory: string, stream: string, first: number): string {
  return join(directory, `${stream}.${String(first).padStart(SEQ_DIGITS, '0')}.jsonl`);
}

export class SpoolFile {
  readonly path: string;
  /** Bytes of whole lines. Writes are positional, so that what a failed write left behind is overwritten. */
  bytes: number;
  readonly #fd: number;

  private constructor(path: string, fd: number, bytes: number) {
    this.path = path;
    this.#fd = fd;
    this.bytes = bytes;
  }

  static create(path: string): SpoolFile {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return new SpoolFile(path, openSync(path, 'wx+', 0o600), 0);
  }

  /** Opens what an earlier process left. `torn` is the bytes after the last whole line, which were never acted on. */
  static reopen(path: string): { file: SpoolFile; torn: number } {
    const fd = openSync(path, 'r+');
    const size = fstatSync(fd).size;
    const whole = endOfLastLine(fd, size);
    return { file: new SpoolFile(path, fd, whole), torn: size - whole };
  }

  /** Appends one line. Either all of it is in the page cache when this returns, or nothing of it counts. */
  append(line: Buffer): void {
    try {
      let written = 0;
      while (written < line.length) {
        written += writeSync(this.#fd, line, written, line.length - written, this.bytes + written);
      }
    } catch (error) {
      this.#forgetTail();
      throw error;
    }
    this.bytes += line.length;
  }

  /** Whole lines from `offset`, at least one and otherwise at most `maxBytes`. */
  read(offset: number, maxBytes: number): Buffer {
    for (let size = maxBytes; ; size *= 2) {
      const chunk = Buffer.allocUnsafe(Math.min(size, this.bytes - offset));
      const got = readSync(this.#fd, chunk, 0, chunk.length, offset);
      const end = chunk.subarray(0, got).lastIndexOf(NEWLINE) + 1;
      if (end > 0 || chunk.length < size) return chunk.subarray(0, end);
    }
  }

  remove(): void {
    closeSync(this.#fd);
    rmSync(this.path, { force: true });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #forgetTail(): void {
    try {
      ftruncateSync(this.#fd, this.bytes);
    } catch {
      // The next append overwrites it, and a torn tail is dropped when the file is opened again.
    }
  }
}

function endOfLastLine(fd: number, size: number): number {
  const chunk = Buffer.allocUnsafe(64 * 1024);
  for (let end = size; end > 0; end = Math.max(0, end - chunk.length)) {
    const start = Math.max(0, end - chunk.length);
    const got = readSync(fd, chunk, 0, end - start, start);
    const newline = chunk.subarray(0, got).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
  }
  return 0;
}
