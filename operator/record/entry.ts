/** An entry of the log: a record line as it was delivered, who delivered it, and a hash over both. */
import { createHash } from 'node:crypto';

/** `{"hash":"…","from":"…","record":` and no other spelling. `from` needs no escapes. */
const ENTRY = /^\{"hash":"([0-9a-f]{64})","from":"([A-Za-z0-9._:/@-]{1,253})","record":/;
/** The longest that matches ENTRY. */
const MAX_HEAD = 512;
const WRITER = /^[A-Za-z0-9._:/@-]{1,253}$/;

export interface Entry {
  readonly hash: string;
  /** Who delivered it, as the recorder verified it. */
  readonly from: string;
  /** The record line, byte for byte. */
  readonly record: Buffer;
}

export function isWriterName(name: string): boolean {
  return WRITER.test(name);
}

/** SHA-256 over the writer's name, a newline and the line, hex: what changes either changes it. */
export function entryHash(from: string, record: Uint8Array): string {
  return createHash('sha256').update(`${from}\n`).update(record).digest('hex');
}

/** The entry's line, without the newline. */
export function encodeEntry(from: string, record: Buffer): Buffer {
  const head = `{"hash":"${entryHash(from, record)}","from":"${from}","record":`;
  return Buffer.concat([Buffer.from(head), record, Buffer.from('}')]);
}

/** Takes a line apart. Undefined when it does not have the form; whether the hash fits is the caller's to check. */
export function parseEntry(line: Buffer): Entry | undefined {
  const [head, hash, from] = ENTRY.exec(line.toString('latin1', 0, MAX_HEAD)) ?? [];
  if (head === undefined || hash === undefined || from === undefined || line.at(-1) !== 0x7d)
    return undefined;
  return { hash, from, record: line.subarray(head.length, -1) };
}
