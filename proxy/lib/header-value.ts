/** Values of `Mcp-Name` and `Mcp-Param-*`: plain, or `=?base64?…?=` where they are not visible ASCII (2026-07-28). */
import { isUtf8 } from 'node:buffer';

const PREFIX = '=?base64?';
const SUFFIX = '?=';

/** The decoded value; undefined when it claims to be base64 and is not canonical base64 of UTF-8. */
export function decodeHeaderValue(value: string): string | undefined {
  if (!value.startsWith(PREFIX) || !value.endsWith(SUFFIX)) return value;
  const encoded = value.slice(PREFIX.length, value.length - SUFFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded && isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** A value as a header can carry it. */
export function encodeHeaderValue(value: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith(PREFIX);
  return plain ? value : `${PREFIX}${Buffer.from(value).toString('base64')}${SUFFIX}`;
}
