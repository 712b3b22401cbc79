import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** CRC-32 of a text in base62, filled up to six digits with zeros: how GitHub, npm and others end their tokens. */
export function crc32Base62(text: string): string {
  let left = crc32(text);
  let digits = '';
  while (left > 0) {
    digits = BASE62.charAt(left % 62) + digits;
    left = Math.floor(left / 62);
  }
  return digits.padStart(6, '0');
}
