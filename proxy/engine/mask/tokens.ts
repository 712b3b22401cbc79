/** Between the value of a JSON string and the characters that write it. */
import type { JsonEdit } from '../../../lib/json/index.ts';

const BACKSLASH = 0x5c;

/** Adds edits in the value of the string token at `start`, which are in order, as edits in the text around it. */
export function addInToken(
  to: JsonEdit[],
  token: { readonly text: string; readonly start: number; readonly plain: boolean },
  edits: readonly JsonEdit[],
): void {
  const { text, start, plain } = token;
  const origins = plain ? undefined : originsOf(text, start + 1, edits.at(-1)?.end ?? 0);
  const origin = (offset: number): number => origins?.[offset] ?? start + 1 + offset;
  // Most masks are the same text as the one before.
  let [last, lastEscaped] = ['', ''];
  for (const { start: from, end, text: put } of edits) {
    if (put !== last) [last, lastEscaped] = [put, escaped(put)];
    to.push({ start: origin(from), end: origin(end), text: lastEscaped });
  }
}

/** Where the quote is that ends the string token which `from` lies in; the end of the text where there is none. */
export function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    let first = at;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((at - first) % 2 === 0) return at;
  }
  return text.length;
}

/** What JSON.stringify may write in another way: quotes, backslashes, control characters, surrogates. */
// eslint-disable-next-line no-control-regex -- control characters are what no string of JSON holds
const ESCAPABLE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** A value as it stands between the quotes of a string token. */
export function escaped(value: string): string {
  return ESCAPABLE.test(value) ? JSON.stringify(value).slice(1, -1) : value;
}

/** Where each of the first `count` units of the value, and the one behind them, is written. */
function originsOf(text: string, from: number, count: number): Int32Array {
  const origins = new Int32Array(count + 1);
  let at = from;
  for (let unit = 0; unit <= count; unit += 1) {
    origins[unit] = at;
    if (text.charCodeAt(at) !== BACKSLASH) at += 1;
    else at += text.charCodeAt(at + 1) === 0x75 ? 6 : 2;
  }
  return origins;
}
