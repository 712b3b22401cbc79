/** Text for a person's terminal. What servers and clients wrote may not steer it. */

/** Control and format characters (what turns the direction of writing is among them), line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line, with everything that a terminal might obey written as an escape. */
export function visible(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** JSON text spread over lines, or the text as it is where it is no JSON. */
export function prettyJson(text: string, indent: string): string {
  return layOut(text)
    .split('\n')
    .map((line) => `${indent}${visible(line)}`)
    .join('\n');
}

/** Columns as wide as they need to be. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function layOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
