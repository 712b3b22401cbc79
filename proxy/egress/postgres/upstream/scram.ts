/** SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) of the client's side. */
import {
  createHash,
  createHmac,
  pbkdf2,
  randomBytes,
  timingSafeEqual,
  type X509Certificate,
} from 'node:crypto';
import { promisify } from 'node:util';
import { Lru } from '../../../../lib/lru.ts';
import { WireError } from '../errors.ts';

/** The exchange: what is sent first, then what answers the server, then whether the server proved itself too. */
export interface Scram {
  readonly mechanism: string;
  readonly first: string;
  /** Throws WireError where the server's message is not what it must be. */
  final(serverFirst: string): Promise<string>;
  /** Throws WireError where the server does not know the password either. */
  verify(serverFinal: string): void;
}

export interface ScramOptions {
  /** What the server offers. */
  readonly mechanisms: readonly string[];
  readonly password: string;
  /** Of the server, for channel binding. */
  readonly certificate: X509Certificate | undefined;
  /** Default: 24 random bytes. Tests pass the one of a published example. */
  readonly nonce?: string;
}

const PLAIN = 'SCRAM-SHA-256';
const PLUS = 'SCRAM-SHA-256-PLUS';
/** PostgreSQL's default is 4096. More than this is hours of work for a server that means harm. */
const MAX_ITERATIONS = 1_000_000;
const derive = promisify(pbkdf2);

/** A login costs thousands of hashes; those of one password and salt are the same each time. */
const salted = new Lru<string, Promise<Buffer>>(256);

export function startScram({ mechanisms, password, certificate, nonce }: ScramOptions): Scram {
  const binding = certificate === undefined ? undefined : endPointHash(certificate);
  const mechanism = chosen(mechanisms, binding !== undefined);
  // "y": we could have bound the channel and the server seems not to; it will object if somebody between us said so.
  const header = mechanism === PLUS ? 'p=tls-server-end-point,,' : binding === undefined ? 'n,,' : 'y,,';
  const bound = mechanism === PLUS && binding !== undefined ? binding : Buffer.alloc(0);
  const clientNonce = nonce ?? randomBytes(24).toString('base64');
  // PostgreSQL takes the name of the startup packet and wants none here.
  const bare = `n=,r=${clientNonce}`;
  let serverSignature: Buffer | undefined;
  return {
    mechanism,
    first: header + bare,
    final: async (serverFirst) => {
      const { combined, salt, iterations } = readServerFirst(serverFirst, clientNonce);
      const key = await saltedPassword(password, salt, iterations);
      const withoutProof = `c=${Buffer.concat([Buffer.from(header), bound]).toString('base64')},r=${combined}`;
      const text = `${bare},${serverFirst},${withoutProof}`;
      const clientKey = hmac(key, 'Client Key');
      const signature = hmac(createHash('sha256').update(clientKey).digest(), text);
      const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0));
      serverSignature = hmac(hmac(key, 'Server Key'), text);
      return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
    },
    verify: (serverFinal) => {
      const given = Buffer.from(attribute(serverFinal, 'v'), 'base64');
      if (given.length !== serverSignature?.length || !timingSafeEqual(given, serverSignature))
        throw new WireError('28000', 'The database could not prove that it knows the password.');
    },
  };
}

function chosen(mechanisms: readonly string[], canBind: boolean): string {
  if (canBind && mechanisms.includes(PLUS)) return PLUS;
  if (mechanisms.includes(PLAIN)) return PLAIN;
  throw new WireError(
    '28000',
    `The database offers no way to log in that is spoken here: ${PLAIN} or ${PLUS}.`,
  );
}

interface ServerFirst {
  readonly combined: string;
  readonly salt: string;
  readonly iterations: number;
}

function readServerFirst(text: string, clientNonce: string): ServerFirst {
  const combined = attribute(text, 'r');
  const salt = attribute(text, 's');
  const count = attribute(text, 'i');
  const iterations = Number(count);
  if (!combined.startsWith(clientNonce) || combined.length === clientNonce.length || salt === '')
    throw new WireError('28000', 'The database answered a login with a nonce or a salt that cannot be.');
  if (!/^[0-9]{1,10}$/.test(count) || iterations < 1 || iterations > MAX_ITERATIONS)
    throw new WireError(
      '28000',
      `The database asks for more than ${MAX_ITERATIONS} rounds of hashing (or none); lower scram_iterations there.`,
    );
  return { combined, salt, iterations };
}

function attribute(text: string, name: string): string {
  const found = text.split(',').find((part) => part.startsWith(`${name}=`));
  return found?.slice(2) ?? '';
}

function saltedPassword(password: string, salt: string, iterations: number): Promise<Buffer> {
  const key = createHash('sha256').update(`${iterations}\0${salt}\0${password}`).digest('base64');
  const known = salted.get(key);
  if (known !== undefined) return known;
  const made = derive(normalized(password), Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
  salted.set(key, made);
  made.catch(() => salted.delete(key));
  return made;
}

/** Of SASLprep (RFC 4013), what changes a password: spaces of other scripts, what maps to nothing, NFKC. */
const SPACES = new Set([0xa0, 0x1680, 0x202f, 0x205f, 0x3000, ...range(0x2000, 0x200a)]);
const NOTHING = new Set([
  ...[0xad, 0x34f, 0x1806, 0x2060, 0xfeff],
  ...range(0x180b, 0x180d),
  ...range(0x200b, 0x200d),
  ...range(0xfe00, 0xfe0f),
]);

function normalized(password: string): string {
  const mapped = Array.from(password, (character) => {
    const point = character.codePointAt(0) ?? 0;
    if (NOTHING.has(point)) return '';
    return SPACES.has(point) ? ' ' : character;
  });
  return mapped.join('').normalize('NFKC');
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/**
 * tls-server-end-point (RFC 5929, 4.1): the hash of the certificate by the hash of its signature, SHA-256 in place of
 * MD5 and SHA-1. Undefined where the signature has no hash of its own to go by.
 */
export function endPointHash(certificate: X509Certificate): Buffer | undefined {
  const algorithm = /sha-?(1|224|256|384|512)(?![0-9])|md5/i.exec(certificate.signatureAlgorithm ?? '');
  if (algorithm === null) return undefined;
  const bits = algorithm[1] === undefined || algorithm[1] === '1' ? '256' : algorithm[1];
  return createHash(`sha${bits}`).update(certificate.raw).digest();
}
