import { Withheld } from './ledger.ts';

/** The bytes of base64 or base64url. Throws Withheld for what is neither: nobody could say what a client makes of it. */
export function bytesOf(text: string, pathOf: () => string): Buffer {
  const written = text.replaceAll(/[\r\n]/g, '');
  if (/^[A-Za-z0-9+/_-]*={0,2}$/.test(written)) return Buffer.from(written, 'base64');
  throw new Withheld(`What should be base64 at ${pathOf()} is none, so that nobody can say what is in it.`);
}

/** Base64 in the alphabet of another one. */
export function base64Like(like: string, bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString(/[-_]/.test(like) ? 'base64url' : 'base64');
  return /[-_]/.test(like) && like.endsWith('=') ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text;
}
