/** Reads the first message of a TLS client (RFC 8446, 4.1.2) without taking part: the name and protocols it asks for. */

export type ClientHello =
  /** Not all of it has come yet. */
  | { readonly kind: 'partial' }
  /** It is none, or one that no honest client sends. */
  | { readonly kind: 'malformed' }
  /** `serverName` is as written, and not checked to be a name. */
  | {
      readonly kind: 'hello';
      readonly serverName: string | undefined;
      readonly protocols: readonly string[];
    };

export const TLS_HANDSHAKE = 22;

const CLIENT_HELLO = 1;
const RECORD_MAX = 16_384;
/** Browsers send about 2 KB; RFC 8446 would allow 16 MB. */
const HELLO_MAX = 65_536;
const SERVER_NAME = 0;
const ALPN = 16;

const partial: ClientHello = { kind: 'partial' };
const malformed: ClientHello = { kind: 'malformed' };

/** `bytes` is all that has come so far, from the first byte on. */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = handshakeOf(bytes);
  if (!Buffer.isBuffer(message)) return message;
  try {
    return helloOf(message);
  } catch (error) {
    // A length points behind the end.
    if (error instanceof RangeError) return malformed;
    throw error;
  }
}

/** The body of the first handshake message, which may be spread over several records. */
function handshakeOf(bytes: Buffer): Buffer | ClientHello {
  const fragments: Buffer[] = [];
  let gathered = 0;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== TLS_HANDSHAKE) return malformed;
    if (at + 5 > bytes.length) return partial;
    const size = bytes.readUInt16BE(at + 3);
    if (bytes[at + 1] !== 3 || size === 0 || size > RECORD_MAX) return malformed;
    const fragment = bytes.subarray(at + 5, at + 5 + size);
    fragments.push(fragment);
    gathered += fragment.length;
    const whole = wholeMessage(fragments, gathered);
    if (whole !== undefined) return whole;
    if (fragment.length < size) return partial;
    at += 5 + size;
  }
  return partial;
}

function wholeMessage(fragments: readonly Buffer[], gathered: number): Buffer | ClientHello | undefined {
  if (gathered < 4) return undefined;
  const message = Buffer.concat(fragments);
  const size = message.readUIntBE(1, 3);
  if (message[0] !== CLIENT_HELLO || size > HELLO_MAX) return malformed;
  return gathered < 4 + size ? undefined : message.subarray(4, 4 + size);
}

/** Throws RangeError where it reads behind the end. */
function helloOf(body: Buffer): ClientHello {
  const reader = new Reader(body);
  reader.skip(2 + 32);
  reader.vector(1);
  reader.vector(2);
  reader.vector(1);
  if (reader.ended) return { kind: 'hello', serverName: undefined, protocols: [] };
  const extensions = new Reader(reader.vector(2));
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  const seen = new Set<number>();
  while (!extensions.ended) {
    const type = extensions.number(2);
    const data = new Reader(extensions.vector(2));
    // RFC 8446, 4.2: two readers would each believe another one.
    if (seen.has(type)) return malformed;
    seen.add(type);
    if (type === SERVER_NAME) serverName = hostNameIn(data);
    if (type === ALPN) protocols = namesIn(data);
  }
  return { kind: 'hello', serverName, protocols };
}

/** RFC 6066, 3: a list that holds at most one name of type host_name (0). */
function hostNameIn(data: Reader): string | undefined {
  const list = new Reader(data.vector(2));
  while (!list.ended) {
    const type = list.number(1);
    const name = list.vector(2);
    if (type === 0) return name.toString('latin1');
  }
  return undefined;
}

function namesIn(data: Reader): string[] {
  const list = new Reader(data.vector(2));
  const names: string[] = [];
  while (!list.ended) names.push(list.vector(1).toString('latin1'));
  return names;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(size: number): void {
    this.#at += size;
  }

  number(size: 1 | 2): number {
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  /** Bytes behind a length of `size` bytes. */
  vector(size: 1 | 2): Buffer {
    const length = this.number(size);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('A vector reaches behind the end.');
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return value;
  }
}
