/** Writes DER (X.690): as much of it as a certificate takes. */

/** Encoded tag, length and contents. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export function sequence(...members: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...members);
}

export function set(...members: readonly Uint8Array[]): Buffer {
  return tlv(0x31, ...members);
}

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Uint8Array.of(0) : bytes.subarray(first);
  // A set high bit would make it negative.
  const sign = (shortest[0] ?? 0) >= 0x80 ? [0] : [];
  return tlv(0x02, Uint8Array.from([...sign, ...shortest]));
}

export function boolean(value: boolean): Buffer {
  return tlv(0x01, Uint8Array.of(value ? 0xff : 0x00));
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}

export function utf8String(text: string): Buffer {
  return tlv(0x0c, Buffer.from(text, 'utf8'));
}

export function octetString(contents: Uint8Array): Buffer {
  return tlv(0x04, contents);
}

/** `unused` is the number of bits of the last byte that do not count. */
export function bitString(contents: Uint8Array, unused = 0): Buffer {
  return tlv(0x03, Uint8Array.of(unused), contents);
}

/** A point in time, milliseconds since the epoch, in the form that RFC 5280, 4.1.2.5 demands for its year. */
export function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const year = Number(digits.slice(0, 4));
  return year < 2050
    ? tlv(0x17, Buffer.from(`${digits.slice(2)}Z`, 'ascii'))
    : tlv(0x18, Buffer.from(`${digits}Z`, 'ascii'));
}

/** Explicit context tag `[n]`. */
export function explicit(n: number, contents: Uint8Array): Buffer {
  return tlv(0xa0 | n, contents);
}

/** Implicit context tag `[n]` over a primitive's contents. */
export function implicit(n: number, contents: Uint8Array): Buffer {
  return tlv(0x80 | n, contents);
}
