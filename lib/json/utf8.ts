import { JsonTextError } from './error.ts';

// A byte order mark is kept, so that the JSON scanner refuses it: RFC 8259 section 8.1 lets parsers differ about it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text. Throws JsonTextError `json_not_utf8` for anything that is not well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new JsonTextError(
      'json_not_utf8',
      'The text is not well-formed UTF-8; send JSON encoded as UTF-8.',
    );
  }
}
