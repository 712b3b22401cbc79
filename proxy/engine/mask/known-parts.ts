import { looksRandom } from './detectors/entropy.ts';

/** A part of a value is matched by itself from this length on. */
const MIN_PART = 16;

/**
 * What is matched for a value: the value without the line end that a file gives it; the lines of a key file, because
 * servers indent and join them; the strings of a JSON key file that look drawn, because servers parse and print it.
 */
export function partsOf(value: string): string[] {
  const whole = value.trim();
  const parts = new Set([whole]);
  for (const text of [whole, ...stringsOf(whole)]) {
    if (text !== whole && isDrawn(text)) parts.add(text);
    if (text.includes('\n')) for (const line of linesOf(text)) parts.add(line);
  }
  return [...parts];
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= MIN_PART && !line.startsWith('-----'));
}

/** Addresses in a key file are no secret, and stand in many messages. */
function isDrawn(text: string): boolean {
  return text.includes('\n') || (text.length >= MIN_PART && looksRandom(text) && !/:\/\/|@/.test(text));
}

/** The strings in a JSON object, at any depth; none where the value is no JSON object. */
function stringsOf(value: string): string[] {
  if (!value.startsWith('{')) return [];
  const strings: string[] = [];
  try {
    JSON.parse(value, (_, inner: unknown) => {
      if (typeof inner === 'string') strings.push(inner.trim());
      return inner;
    });
  } catch {
    return [];
  }
  return strings;
}
