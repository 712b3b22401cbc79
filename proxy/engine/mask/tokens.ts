/** Between the value of a JSON string and the characters that write it. */
import type { JsonEdit } from '../../../lib/json/index.ts';

/** Edits in the value of the string token at `start`, as edits in the text around it. */
export function inToken(text: string, start: number, plain: boolean, edits: readonly JsonEdit[]): JsonEdit[] {
  const furthest = edits.reduce((most, { end }) => Math.max(most, end), 0);
  const origins = plain ? undefined : originsOf(text, start + 1, furthest);
  const origin = (offset: number): number => origins?.[offset] ?? start + 1 + offset;
  // Most masks are the same text as the one before.
  let [last, lastEscaped] = ['', ''];
  return edits.map(({ start: from, end: to, text: put }) => {
    if (put !== last) [last, lastEscaped] = [put, escaped(put)];
    return { start: origin(from), end: origin(to), text: lastEscaped };
  });
}

/** A value as it stands between the quotes of a string token. */
export function escaped(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** Where each of the first `count` units of the value, and the one behind them, is written. */
function originsOf(text: string, from: number, count: number): Int32Array {
  const origins = new Int32Array(count + 1);
  let at = from;
  for (let unit = 0; unit <= count; unit += 1) {
    origins[unit] = at;
    if (text.charCodeAt(at) !== 0x5c) at += 1;
    else at += text.charCodeAt(at + 1) === 0x75 ? 6 : 2;
  }
  return origins;
}
