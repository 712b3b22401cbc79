/** What runs of base64, base64url and hex say. */
import { isAscii, isUtf8 } from 'node:buffer';
import { isHexDigit } from './kinds.ts';
import type { Span } from './types.ts';

export interface Decoded {
  readonly text: string;
  /** Not text as people and programs write it. */
  readonly binary: boolean;
}

/** Most runs are names and ids: what is shorter than this is decoded only as far as it is ASCII text. */
const SHORT = 64;
/** Up to this length a run is decoded from each place where a group may begin, beyond it only from its start. */
const ANY_PHASE_MAX = 16_384;

/** Everything a run may decode to. */
export function decodeRun(text: string, { start, end }: Span): Decoded[] {
  if (end - start < SHORT) return decodeShort(text, start, end);
  const encoded = text.slice(start, end).replace(/\s+/g, '');
  if (/^[0-9A-Fa-f]+$/.test(encoded)) return [decoded(Buffer.from(encoded, 'hex'))];
  const phases = encoded.length <= ANY_PHASE_MAX ? [0, 1, 2, 3] : [0];
  const tried: Decoded[] = [];
  for (const phase of phases) {
    const one = decoded(Buffer.from(encoded.slice(phase), 'base64'));
    tried.push(one);
    // Long text comes from one place where groups may begin, and from no other by chance.
    if (!one.binary) break;
  }
  return tried;
}

function decodeShort(text: string, start: number, end: number): Decoded[] {
  const found: Decoded[] = [];
  for (let phase = 0; phase < 4; phase += 1) {
    const ascii = base64Ascii(text, start + phase, end);
    if (ascii !== undefined) found.push({ text: ascii, binary: false });
  }
  const hex = hexAscii(text, start, end);
  if (hex !== undefined) found.push({ text: hex, binary: false });
  return found;
}

const SEXTETS = new Int8Array(128).fill(-1);
for (const [value, character] of Array.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
).entries()) {
  SEXTETS[character.charCodeAt(0)] = value;
}
SEXTETS[0x2d] = 62;
SEXTETS[0x5f] = 63;

/** Decodes up to the first byte that is no ASCII text, where it gives up. */
function base64Ascii(text: string, start: number, end: number): string | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (let at = start; at < end; at += 1) {
    const sextet = SEXTETS[text.charCodeAt(at)] ?? -1;
    if (sextet < 0) continue;
    bits = ((bits << 6) | sextet) & 0x3fff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    const byte = (bits >> held) & 0xff;
    if (!isAsciiText(byte)) return undefined;
    if (byte !== 0) bytes.push(byte);
  }
  return String.fromCharCode(...bytes);
}

function hexAscii(text: string, start: number, end: number): string | undefined {
  const bytes: number[] = [];
  for (let at = start; at + 1 < end; at += 2) {
    if (!isHexDigit(text.charCodeAt(at)) || !isHexDigit(text.charCodeAt(at + 1))) return undefined;
    const byte = Number.parseInt(text.slice(at, at + 2), 16);
    if (!isAsciiText(byte)) return undefined;
    if (byte !== 0) bytes.push(byte);
  }
  return String.fromCharCode(...bytes);
}

/** NUL counts, and is left out: Windows shells encode UTF-16. */
function isAsciiText(byte: number): boolean {
  return byte >= 0x20 ? byte < 0x7f : byte === 0 || (byte >= 0x09 && byte <= 0x0d);
}

/** What no text holds that people and programs write; NUL is left out instead. */
// eslint-disable-next-line no-control-regex -- control characters are what it is about
const CONTROL = /[\x01-\x08\x0e-\x1f\x7f]/;

function decoded(bytes: Buffer): Decoded {
  const text = isAscii(bytes) ? bytes.toString('latin1') : utf8Text(bytes);
  return {
    text: (text ?? bytes.toString('latin1')).replaceAll('\0', ''),
    binary: text === undefined || CONTROL.test(text),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes as UTF-8 that people and programs write. */
function utf8Text(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = utf8.decode(bytes);
  return /[\x80-\x9f]/.test(text) ? undefined : text;
}
