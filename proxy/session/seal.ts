/**
 * Sealed strings: what the client carries for us and may neither read nor change (session ids, requestState).
 * AES-256-GCM under the gateway's sealing keys; the purpose is authenticated, so that one kind never passes for another.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SealingKey } from '#bundle';
import { replaceValue } from '../lib/edit.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

export interface Sealer {
  seal(purpose: string, plaintext: string): string;
  /** The plaintext, or undefined when the text was not sealed here for this purpose. */
  open(purpose: string, sealed: string): string | undefined;
}

/** An answer without what is the server's own, which nobody reads on the way: neither whoever masks it nor the record. */
export interface Concealed {
  /** Whether the call goes on with what the client sends next. */
  readonly awaitsClient: boolean;
  readonly text: string;
  /** What is sent of it, with that sealed, so that only this caller can bring it back. */
  readonly seal: (released: string) => string;
}

/** Puts a word in the place of the string at `path`, and `sealed` in the place of that word at the end. Only for validated text. */
export function concealAt(
  text: string,
  path: readonly string[],
  { sealed, awaitsClient }: { readonly sealed: string; readonly awaitsClient: boolean },
): Concealed {
  return {
    awaitsClient,
    text: replaceValue(text, path, '[sealed]'),
    seal: (released) => replaceValue(released, path, sealed),
  };
}

/** The first key seals, every key opens: two are live while the operator rotates them. */
export function createSealer(gateway: string, keys: readonly SealingKey[]): Sealer {
  const [current, ...older] = keys.map((key) => Buffer.from(key.key, 'base64'));
  if (current === undefined) throw new RangeError('A sealer needs at least one key.');
  const aad = (purpose: string): Buffer => Buffer.from(`${gateway}\0${purpose}`);
  return {
    seal: (purpose, plaintext) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current, iv).setAAD(aad(purpose));
      const sealed = Buffer.concat([
        iv,
        cipher.update(plaintext, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return sealed.toString('base64url');
    },
    open: (purpose, sealed) => {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < IV_BYTES + TAG_BYTES || bytes.toString('base64url') !== sealed) return undefined;
      for (const key of [current, ...older]) {
        const opened = openWith(key, bytes, aad(purpose));
        if (opened !== undefined) return opened;
      }
      return undefined;
    },
  };
}

function openWith(key: Buffer, bytes: Buffer, aad: Buffer): string | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES))
      .setAAD(aad)
      .setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const body = bytes.subarray(IV_BYTES, bytes.length - TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
