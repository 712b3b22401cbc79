/** Signed notes and their keys, as C2SP signed-note and tlog-checkpoint describe them (Ed25519, one signature). */
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { NoteInvalid } from './errors.ts';

const ED25519 = 1;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const SIGNATURE_LINE = /^— ([^ +\n]+) ([A-Za-z0-9+/]+={0,2})\n$/;
const VKEY = /^([^ +\n]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;

export interface NoteVerifier {
  readonly name: string;
  readonly keyId: Buffer;
  readonly publicKey: KeyObject;
  /** The public key in one line: name, key id and key. */
  readonly vkey: string;
}

export interface NoteSigner {
  readonly verifier: NoteVerifier;
  readonly privateKey: KeyObject;
}

/** A signer whose name follows from its key: `prefix/<half of the key's SHA-256>`. Throws NoteInvalid for other keys. */
export function signerOf(pem: string, prefix: string): NoteSigner {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new NoteInvalid(
      'The signing key is no Ed25519 key; name a file that does not exist and one is made.',
    );
  }
  const raw = rawPublicKey(createPublicKey(privateKey));
  const name = `${prefix}/${createHash('sha256').update(raw).digest('hex').slice(0, 32)}`;
  return { verifier: verifierOf(name, raw), privateKey };
}

/** Reads a vkey: `<name>+<key id>+<base64 of the type and the key>`. */
export function parseVkey(text: string): NoteVerifier {
  const [, name, id, data] = VKEY.exec(text) ?? [];
  const bytes = data === undefined ? undefined : decodeBase64(data);
  if (name === undefined || bytes?.[0] !== ED25519 || bytes.length !== 33) {
    throw new NoteInvalid('This is no Ed25519 verifier key; it has the form NAME+8 hex digits+BASE64.');
  }
  const verifier = verifierOf(name, bytes.subarray(1));
  if (verifier.keyId.toString('hex') !== id)
    throw new NoteInvalid(`The key id ${id ?? ''} is not that of the key.`);
  return verifier;
}

/** `text` ends with a newline and holds no empty line. */
export function signNote(text: string, signer: NoteSigner): string {
  const { name, keyId } = signer.verifier;
  const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), signer.privateKey)]);
  return `${text}\n— ${name} ${signature.toString('base64')}\n`;
}

/** The text of a note that `verifier` signed, and nobody else. Throws NoteInvalid. */
export function openNote(note: string, verifier: NoteVerifier): string {
  const gap = note.lastIndexOf('\n\n');
  const [, name, encoded] = SIGNATURE_LINE.exec(note.slice(gap + 2)) ?? [];
  const signature = encoded === undefined ? undefined : decodeBase64(encoded);
  if (gap < 0 || signature?.length !== KEY_ID_BYTES + SIGNATURE_BYTES) {
    throw new NoteInvalid('It is no note with one signature.');
  }
  const keyId = signature.subarray(0, KEY_ID_BYTES);
  if (name !== verifier.name || !keyId.equals(verifier.keyId)) {
    throw new NoteInvalid(`It is not signed by the key ${verifier.name}.`);
  }
  const text = note.slice(0, gap + 1);
  if (!verify(null, Buffer.from(text), verifier.publicKey, signature.subarray(KEY_ID_BYTES))) {
    throw new NoteInvalid(`Its signature by ${verifier.name} does not fit its text.`);
  }
  return text;
}

function verifierOf(name: string, raw: Buffer): NoteVerifier {
  const typed = Buffer.concat([Buffer.from([ED25519]), raw]);
  const keyId = createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, KEY_ID_BYTES);
  const publicKey = createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
  });
  return { name, keyId, publicKey, vkey: `${name}+${keyId.toString('hex')}+${typed.toString('base64')}` };
}

const okp = z.object({ x: z.string() });

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(okp.parse(key.export({ format: 'jwk' })).x, 'base64url');
}

/** Strict: what does not encode back to itself has bits that nobody looks at. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
