import { isDisguise, undisguised } from './kinds.ts';

/**
 * The forms in which a known value is looked for directly: as it is, in hex, and in base64 at the three places
 * where it can begin within a group of four. Percent encoding, JSON escapes and nesting are undone by the views
 * before this, so they need no forms of their own.
 */
export interface KnownForm {
  readonly kind: 'raw' | 'hex' | 'base64';
  /** What must stand in the text: hex in lower case, base64 in its standard alphabet and without padding. */
  readonly text: string;
}

/** Base64 of fewer characters than this stands in ordinary text by chance. */
const MIN_BASE64 = 8;

/** All forms of a value. */
export function formsOf(value: string): KnownForm[] {
  const bytes = Buffer.from(value, 'utf8');
  // In a decoded view bytes are characters, and in one without disguise some characters are others.
  const written = [value, bytes.toString('latin1'), withoutDisguise(value), ...inQuotes(value)];
  const raw = new Set(written.flatMap((text) => [text, text.replaceAll(' ', '+')]));
  return [
    ...Array.from(raw, (text) => ({ kind: 'raw' as const, text })),
    { kind: 'hex', text: bytes.toString('hex') },
    ...base64Forms(bytes).map((inner) => ({ kind: 'base64' as const, text: inner })),
  ];
}

/** Between the single quotes of a shell a quote is written in one of two ways; the rest stands as it is. */
function inQuotes(value: string): string[] {
  return [String.raw`'\''`, `'"'"'`].map((quote) => value.replaceAll("'", quote));
}

function withoutDisguise(value: string): string {
  return value.replaceAll(/[\u00ad\u200b-\uffff]/g, (character) => {
    const code = character.charCodeAt(0);
    return isDisguise(code) ? undisguised(code) : character;
  });
}

/** The base64 characters that depend on the value alone, for each number of bytes before it modulo 3. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2]
    .map((before) => {
      const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
      return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    })
    .filter((inner) => inner.length >= MIN_BASE64);
}
