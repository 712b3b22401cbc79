/** Every way in which a server might write a value it got, by name. */
export const ENCODINGS: Readonly<Record<string, (value: string) => string>> = {
  raw: (value) => value,
  'JSON string': (value) => JSON.stringify(value).slice(1, -1),
  'JSON \\u escapes': (value) =>
    Array.from(
      { length: value.length },
      (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  'JSON in a string in a string': (value) => JSON.stringify(JSON.stringify({ value })),
  'JSON three deep': (value) => JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ c: value }) }) }),
  percent: (value) => encodeURIComponent(value.toWellFormed()),
  'percent, lower case': (value) =>
    encodeURIComponent(value.toWellFormed()).replace(/%../g, (hex) => hex.toLowerCase()),
  'percent, everything': (value) =>
    Array.from(Buffer.from(value), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'percent, twice': (value) => encodeURIComponent(encodeURIComponent(value.toWellFormed())),
  'form with +': (value) => encodeURIComponent(value.toWellFormed()).replaceAll('%20', '+'),
  hex: (value) => Buffer.from(value).toString('hex'),
  'hex, upper case': (value) => Buffer.from(value).toString('hex').toUpperCase(),
  'hex of base64': (value) => Buffer.from(Buffer.from(value).toString('base64')).toString('hex'),
  base64: (value) => Buffer.from(value).toString('base64'),
  'base64, one byte before': (value) => Buffer.from(`:${value}`).toString('base64'),
  'base64, two bytes before': (value) => Buffer.from(`u:${value};`).toString('base64'),
  base64url: (value) => Buffer.from(`u:${value}`).toString('base64url'),
  'base64 amid binary': (value) =>
    Buffer.concat([Buffer.alloc(67, 0x9b), Buffer.from(value), Buffer.alloc(70, 0xfe)]).toString('base64'),
  'base64, twice': (value) => Buffer.from(Buffer.from(value).toString('base64')).toString('base64'),
  'base64 of percent': (value) => Buffer.from(encodeURIComponent(value.toWellFormed())).toString('base64'),
  'base64 in lines of 64': (value) => wrapped(`${'x'.repeat(90)}${value}${'y'.repeat(90)}`, 64, '\n'),
  'base64 in lines of 76': (value) => wrapped(`${'x'.repeat(31)}${value}${'y'.repeat(50)}`, 76, '\r\n  '),
  'a shell, in single quotes': (value) => `'${value.replaceAll("'", String.raw`'\''`)}'`,
  "a shell, as Python's shlex quotes": (value) => `'${value.replaceAll("'", `'"'"'`)}'`,
  'zero width between': (value) => Array.from(value).join('\u200b'),
  'full width': (value) =>
    value.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)),
};

function wrapped(value: string, width: number, lineEnd: string): string {
  return Buffer.from(value)
    .toString('base64')
    .replace(new RegExp(`.{${width}}(?=.)`, 'g'), (line) => line + lineEnd);
}
