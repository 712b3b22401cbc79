/** Cuts the bytes of a connection into messages, without copying those that are whole. */
import { WireError } from './errors.ts';

const HEADER = 5;

/**
 * `whole`: the message lies in `buffer` from `start` to `end`. A message that is longer than what is collected of its
 * type comes as `begin`, any number of `part` and `last`; `begin` holds at least the first `HEAD` bytes of it.
 */
export type FramePart = 'whole' | 'begin' | 'part' | 'last';

/** Enough for the names at the start of a Bind. */
const HEAD = 4096;

export class FrameReader {
  /** Of the message that is being read. */
  type = 0;
  /** Bytes of that message, type and length included. */
  length = 0;
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  readonly #collect: (type: number) => number;
  #at = 0;
  /** Bytes of a long message that are still to come. */
  #left = 0;
  /** The beginning of a message, as it came. */
  #kept: Buffer[] = [];
  #have = 0;
  #need = 0;
  /** What came behind a message that was put together. */
  #behind: Buffer | undefined;

  /** `collect`: up to how many bytes a message of a type is given whole. */
  constructor(collect: (type: number) => number) {
    this.#collect = collect;
  }

  /** Takes in bytes. All that came before must have been read. */
  push(chunk: Buffer): void {
    if (this.#have === 0) this.#turnTo(chunk);
    else this.#add(chunk);
  }

  /** Goes on to the next message or part of one; undefined where more bytes are needed. Throws WireError. */
  advance(): FramePart | undefined {
    for (;;) {
      const part = this.#next();
      if (part !== undefined || this.#behind === undefined) return part;
      const chunk = this.#behind;
      this.#behind = undefined;
      this.push(chunk);
    }
  }

  #next(): FramePart | undefined {
    if (this.#have > 0) return undefined;
    if (this.#left > 0) return this.#part();
    const available = this.buffer.length - this.#at;
    if (available < HEADER) {
      this.#keep(HEADER);
      return undefined;
    }
    this.type = this.buffer[this.#at] ?? 0;
    this.length = this.buffer.readUInt32BE(this.#at + 1) + 1;
    if (this.length < HEADER)
      throw new WireError(
        '08P01',
        'A message of the PostgreSQL protocol says that it is shorter than itself.',
      );
    if (available >= this.length) return this.#take(this.length, 'whole');
    const wanted = this.length <= this.#collect(this.type) ? this.length : Math.min(HEAD, this.length);
    if (available < wanted) {
      this.#keep(wanted);
      return undefined;
    }
    this.#left = this.length - available;
    return this.#take(available, 'begin');
  }

  /** What was read last. */
  frame(): Buffer {
    return this.buffer.subarray(this.start, this.end);
  }

  #part(): FramePart | undefined {
    const available = Math.min(this.buffer.length - this.#at, this.#left);
    if (available === 0) return undefined;
    this.#left -= available;
    return this.#take(available, this.#left === 0 ? 'last' : 'part');
  }

  #take(count: number, part: FramePart): FramePart {
    this.start = this.#at;
    this.end = this.#at + count;
    this.#at = this.end;
    return part;
  }

  #keep(need: number): void {
    const rest = this.buffer.subarray(this.#at);
    this.#at = this.buffer.length;
    if (rest.length === 0) return;
    this.#kept = [rest];
    this.#have = rest.length;
    this.#need = need;
  }

  /** Puts together as much as is needed, and no more: the rest of the bytes is not copied. */
  #add(chunk: Buffer): void {
    const missing = this.#need - this.#have;
    const more = chunk.subarray(0, missing);
    this.#kept.push(more);
    this.#have += more.length;
    if (this.#have < this.#need) return;
    const whole = Buffer.concat(this.#kept, this.#have);
    this.#kept = [];
    this.#have = 0;
    if (chunk.length > missing) this.#behind = chunk.subarray(missing);
    this.#turnTo(whole);
  }

  #turnTo(bytes: Buffer): void {
    this.buffer = bytes;
    this.#at = 0;
  }
}
