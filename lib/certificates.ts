/** Issues X.509 certificates (RFC 5280): an authority, and leaves for servers. Keys are P-256. */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  tlv,
  utf8String,
} from './der.ts';

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly days: number;
}

const DAY_MS = 86_400_000;
/** Clocks differ: a certificate is valid a little before it was made. */
const BACKDATED_MS = 5 * 60_000;

const COMMON_NAME = oid('2.5.4.3');
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const SUBJECT_KEY_ID = '2.5.29.14';
const AUTHORITY_KEY_ID = '2.5.29.35';
const SERVER_AUTH = oid('1.3.6.1.5.5.7.3.1');

/** A self-signed authority that may sign leaves and nothing that signs in turn. */
export function issueAuthority(commonName: string, validity: Validity): KeyPair {
  const pair = newKeys();
  const cert = certificate({
    issuer: commonName,
    subject: commonName,
    signer: pair.key,
    spki: pair.spki,
    validity,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(boolean(true), integer(Uint8Array.of(0))), 'critical'),
      // keyCertSign, cRLSign
      extension(KEY_USAGE, bitString(Uint8Array.of(0b0000_0110), 1), 'critical'),
      extension(SUBJECT_KEY_ID, octetString(keyId(pair.spki))),
    ],
  });
  return { cert, key: pair.key };
}

/** A server's certificate for names and addresses, signed by `authority`. */
export function issueServerLeaf(authority: KeyPair, hosts: readonly string[], validity: Validity): KeyPair {
  const pair = newKeys();
  const ca = new X509Certificate(authority.cert);
  const cert = certificate({
    issuer: commonNameOf(ca),
    subject: hosts[0] ?? '',
    signer: authority.key,
    spki: pair.spki,
    validity,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(), 'critical'),
      // digitalSignature
      extension(KEY_USAGE, bitString(Uint8Array.of(0b1000_0000), 7), 'critical'),
      extension(EXTENDED_KEY_USAGE, sequence(SERVER_AUTH)),
      extension(SUBJECT_ALTERNATIVE_NAME, sequence(...hosts.map(generalName))),
      extension(SUBJECT_KEY_ID, octetString(keyId(pair.spki))),
      extension(AUTHORITY_KEY_ID, sequence(implicit(0, keyId(spkiOf(ca))))),
    ],
  });
  return { cert, key: pair.key };
}

/** Whether less than a third of a certificate's life is left, or it never was for these hosts or of this authority. */
export function needsReissue(
  leaf: KeyPair,
  authority: KeyPair,
  hosts: readonly string[],
  now: number,
): boolean {
  const cert = new X509Certificate(leaf.cert);
  const from = Date.parse(cert.validFrom);
  const until = Date.parse(cert.validTo);
  const serves = hosts.every(
    (host) => (isIP(host) ? cert.checkIP(host) : cert.checkHost(host)) !== undefined,
  );
  const signed = cert.verify(new X509Certificate(authority.cert).publicKey);
  const fits = cert.checkPrivateKey(createPrivateKey(leaf.key));
  return !serves || !signed || !fits || until - now < (until - from) / 3;
}

interface Parts {
  readonly issuer: string;
  readonly subject: string;
  readonly signer: string;
  readonly spki: Buffer;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

function certificate(parts: Parts): string {
  const { now, days } = parts.validity;
  const body = sequence(
    // X.509 v3
    explicit(0, integer(Uint8Array.of(2))),
    integer(Uint8Array.from([0x01, ...randomBytes(15)])),
    ECDSA_SHA256,
    name(parts.issuer),
    sequence(time(now - BACKDATED_MS), time(now + days * DAY_MS)),
    name(parts.subject),
    parts.spki,
    explicit(3, sequence(...parts.extensions)),
  );
  const signature = sign('sha256', body, parts.signer);
  return pem(sequence(body, ECDSA_SHA256, bitString(signature)));
}

function newKeys(): { key: string; spki: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki: publicKey.export({ type: 'spki', format: 'der' }),
  };
}

function spkiOf(cert: X509Certificate): Buffer {
  return cert.publicKey.export({ type: 'spki', format: 'der' });
}

/** Any stable identifier of the key will do (RFC 7093, 2). */
function keyId(spki: Buffer): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

function name(commonName: string): Buffer {
  // RFC 5280, appendix A.1: at most 64 characters. Names of hosts stand whole among the alternative ones.
  return sequence(set(sequence(COMMON_NAME, utf8String(commonName.slice(0, 64)))));
}

function commonNameOf(cert: X509Certificate): string {
  return cert.subject.replace(/^CN=/, '');
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function generalName(host: string): Buffer {
  return isIP(host) === 0 ? implicit(2, Buffer.from(host, 'ascii')) : tlv(0x87, addressBytes(host));
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  // The URL parser writes every form of an IPv6 address as groups with at most one "::".
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const first = groups(head);
  const last = groups(tail ?? '');
  const zeros = Array<number>(8 - first.length - last.length).fill(0);
  return Uint8Array.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
