/** The wire format of Protocol Buffers, https://protobuf.dev/programming-guides/encoding/: one pass, every bound checked. */
import { ProtobufError } from './error.ts';

export const VARINT = 0;
export const LENGTH_DELIMITED = 2;
export const GROUP_BEGIN = 3;
export const GROUP_END = 4;

export interface Tag {
  readonly number: number;
  readonly wire: number;
}

/** Reads forward through bytes. Throws ProtobufError wherever they are no message. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** `what` names the message in sentences. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** What was read since an offset. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at);
  }

  tag(): Tag {
    const tag = this.varint();
    const number = Number(tag >> 3n);
    if (number < 1 || number > 0x1fff_ffff) throw this.#broken('a field number is out of range');
    return { number, wire: Number(tag & 7n) };
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw this.#broken('it ends within a number');
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.#broken('a number has more than ten bytes');
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#broken('a field ends beyond the message');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** What follows its own length. */
  delimited(): Uint8Array {
    const length = this.varint();
    if (length > BigInt(this.#bytes.length)) throw this.#broken('a field ends beyond the message');
    return this.take(Number(length));
  }

  /** The fields of the group whose begin has been read; its end is read too. */
  group(number: number): Uint8Array {
    const start = this.#at;
    const open = [number];
    for (;;) {
      const before = this.#at;
      const tag = this.tag();
      if (tag.wire === GROUP_BEGIN) open.push(tag.number);
      else if (tag.wire !== GROUP_END) this.skip(tag);
      else if (open.pop() !== tag.number) throw this.#broken('a group ends that did not begin');
      else if (open.length === 0) return this.#bytes.subarray(start, before);
    }
  }

  /** Passes over the value of a field. */
  skip({ number, wire }: Tag): void {
    if (wire === VARINT) this.varint();
    else if (wire === 1) this.take(8);
    else if (wire === LENGTH_DELIMITED) this.delimited();
    else if (wire === GROUP_BEGIN) this.group(number);
    else if (wire === 5) this.take(4);
    else throw this.#broken('a field has a wire type that does not exist');
  }

  #broken(why: string): ProtobufError {
    return new ProtobufError(`What should be the protobuf message ${this.#what} is none: ${why}.`);
  }
}

/** A number of at most 64 bits, in as few bytes as it takes. */
export function writeVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** The bytes behind their length. */
export function writeDelimited(bytes: Uint8Array): Uint8Array {
  return concat([writeVarint(BigInt(bytes.length)), bytes]);
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(pieces);
}
