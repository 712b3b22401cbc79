/**
 * A truststore of Java, which reads no PEM. The format JKS: every Java from 1.1 on reads it, and unlike PKCS #12 it takes
 * no encryption to write. Big endian; a SHA-1 over password, salt and contents guards against accidents, not attacks.
 */
import { createHash, X509Certificate } from 'node:crypto';

/** Java's own default, so that tools open the file unasked. It protects nothing: what is inside is public. */
export const STORE_PASSWORD = 'changeit';

const MAGIC = 0xfe_ed_fe_ed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;
const SALT = 'Mighty Aphrodite';

/** Certificates in PEM, one each; `now` in milliseconds since the epoch. */
export function javaTrustStore(certificates: readonly string[], now: number): Buffer {
  const entries = certificates.map((pem, index) => {
    const der = new X509Certificate(pem).raw;
    return Buffer.concat([
      uint32(TRUSTED_CERTIFICATE),
      text(`gatehouse-${index}`),
      uint64(now),
      text('X.509'),
      uint32(der.length),
      der,
    ]);
  });
  const contents = Buffer.concat([uint32(MAGIC), uint32(VERSION), uint32(entries.length), ...entries]);
  const password = Buffer.from(STORE_PASSWORD, 'utf16le').swap16();
  const digest = createHash('sha1').update(password).update(SALT, 'utf8').update(contents).digest();
  return Buffer.concat([contents, digest]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Math.floor(value)));
  return bytes;
}

/** As DataOutput.writeUTF does; ours are ASCII. */
function text(value: string): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(value.length);
  return Buffer.concat([size, Buffer.from(value, 'ascii')]);
}
