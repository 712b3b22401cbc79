/** Messages of PostgreSQL's protocol 3 (PostgreSQL documentation, chapter "Frontend/Backend Protocol"), built and read. */
import { WireError } from './errors.ts';

/** The code of a message type: `code('Q')`. */
export function code(type: string): number {
  return type.charCodeAt(0);
}

/** A message of the given type; without a type, one of the startup phase. */
export function message(type: string | undefined, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.allocUnsafe(type === undefined ? 4 : 5);
  if (type !== undefined) head[0] = code(type);
  head.writeUInt32BE(body.length + 4, head.length - 4);
  return Buffer.concat([head, body]);
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8');
}

export function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Reads the members of a message one after another. Throws WireError where the message ends before they do. */
export class Fields {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  int16(): number {
    return this.#take(2).readInt16BE();
  }

  int32(): number {
    return this.#take(4).readInt32BE();
  }

  /** Text up to NUL. What is no UTF-8 in it is replaced: callers that depend on every byte look at `raw`. */
  text(): string {
    return this.raw().toString('utf8');
  }

  raw(): Buffer {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end === -1) throw malformed();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return bytes;
  }

  bytes(count: number): Buffer {
    return this.#take(count);
  }

  rest(): Buffer {
    return this.#take(this.#bytes.length - this.#at);
  }

  #take(count: number): Buffer {
    if (count < 0 || this.#at + count > this.#bytes.length) throw malformed();
    const bytes = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }
}

function malformed(): WireError {
  return new WireError(
    '08P01',
    'A message of the PostgreSQL protocol is shorter than what it says it holds.',
  );
}

/** The members of an ErrorResponse or NoticeResponse by their code: `M` is the sentence, `C` the SQLSTATE. */
export type Report = ReadonlyMap<string, string>;

/** `frame` is a whole message, with its type and length. */
export function readReport(frame: Buffer): Report {
  const fields = new Fields(frame, 5);
  const report = new Map<string, string>();
  for (let type = fields.byte(); type !== 0; type = fields.byte())
    report.set(String.fromCharCode(type), fields.text());
  return report;
}

export function writeReport(type: 'E' | 'N', report: Report): Buffer {
  const members = [...report].map(([member, text]) => cstring(member + text));
  return message(type, ...members, Buffer.of(0));
}

/** `sqlstate` as in appendix A of PostgreSQL's documentation; FATAL says that the connection ends. */
export function errorResponse(severity: 'ERROR' | 'FATAL', sqlstate: string, sentence: string): Buffer {
  const text = sentence.replaceAll('\0', '');
  return writeReport(
    'E',
    new Map([
      ['S', severity],
      ['V', severity],
      ['C', sqlstate],
      ['M', text],
    ]),
  );
}

export type TransactionStatus = 'I' | 'T' | 'E';

export function readyForQuery(status: TransactionStatus): Buffer {
  return message('Z', Buffer.from(status));
}

export function parameterStatus(name: string, value: string): Buffer {
  return message('S', cstring(name), cstring(value));
}

export function query(sql: string): Buffer {
  return message('Q', cstring(sql));
}

export const SYNC = message('S');
export const TERMINATE = message('X');
/** The wire's answer to TLS and GSS requests that are not taken up. */
export const NO = Buffer.from('N');
export const YES = Buffer.from('S');

/** Any text that no grammar takes: the database itself refuses it, and with it what came before in its transaction. */
const REFUSED = 'refused by Gatehouse';
export const REFUSED_QUERY = query(REFUSED);
export const REFUSED_PARSE = message('P', cstring(''), cstring(REFUSED), int16(0));
