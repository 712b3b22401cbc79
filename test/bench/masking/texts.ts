/** Messages to measure on: ordinary ones of two sizes, and those that somebody made to be slow. */
import { faker } from '@faker-js/faker';

export interface Sample {
  readonly title: string;
  readonly text: string;
}

function message(result: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, result });
}

/** A row of a table, of values that nobody masks. */
function row(): object {
  return {
    id: faker.string.uuid(),
    order: faker.number.int({ max: 99_999 }),
    placed: faker.date.recent().toISOString(),
    customer: faker.person.fullName(),
    note: faker.lorem.sentence(),
    product: faker.commerce.productName(),
    total: Number(faker.commerce.price()),
    paid: faker.datatype.boolean(),
  };
}

function rowsOf(characters: number, make: () => object = row): object[] {
  const rows: object[] = [];
  for (let size = 0; size < characters; size += JSON.stringify(rows.at(-1)).length + 1) rows.push(make());
  return rows;
}

/** The same texts in every run. `secrets` are planted in the last one, twenty a megabyte. */
export function ordinary(secrets: readonly string[]): Sample[] {
  faker.seed(4711);
  let at = 0;
  const leaky = (): object => ({
    ...row(),
    ...((at += 1) % 250 === 0 ? { memo: `key ${secrets[(at / 250) % secrets.length] ?? ''} end` } : {}),
  });
  const log = (): string =>
    `${faker.date.recent().toISOString()} INFO ${faker.hacker.ingverb()} ${faker.system.fileName()} in ${faker.number.int(9000)} ms (${faker.git.commitSha({ length: 9 })})`;
  const prose = (characters: number): string =>
    Array.from({ length: Math.ceil(characters / 85) }, log).join('\n');
  return [
    { title: 'structured, 1 KB', text: message({ structuredContent: { rows: rowsOf(900) } }) },
    { title: 'JSON in text, 1 KB', text: textOf(JSON.stringify({ rows: rowsOf(800) })) },
    { title: 'log lines, 1 KB', text: textOf(prose(900)) },
    { title: 'structured, 1 MB', text: message({ structuredContent: { rows: rowsOf(1e6) } }) },
    { title: 'JSON in text, 1 MB', text: textOf(JSON.stringify({ rows: rowsOf(9e5) })) },
    { title: 'log lines, 1 MB', text: textOf(prose(1e6)) },
    {
      title: 'structured with secrets, 1 MB',
      text: message({ structuredContent: { rows: rowsOf(1e6, leaky) } }),
    },
    {
      title: 'blob, 1 MB',
      text: message({
        contents: [
          { uri: 'a:b', blob: Buffer.from(faker.string.binary({ length: 750_000 })).toString('base64') },
        ],
      }),
    },
  ];
}

function textOf(text: string): string {
  return message({ content: [{ type: 'text', text }] });
}

const SIZE = 300_000;

/** Texts that ask for as much work as their size allows. */
export function hostile(secret: string): Sample[] {
  const many = (part: string): string => part.repeat(Math.ceil(SIZE / part.length));
  const nested = (times: number): string => {
    let text = secret;
    for (let time = 0; time < times; time += 1) text = Buffer.from(`${text} and ${text}`).toString('base64');
    return text;
  };
  const texts: Record<string, string> = {
    'one letter': many('a'),
    digits: many('4'),
    'digits and spaces': many('4 '),
    'almost cards': many('4111 1111 1111 1112 '),
    'prefixes of tokens': many('ghp_xoxb-sk_live_AKIAeyJ'),
    'words that announce secrets': many('password token=secret: api_key '),
    'at signs': many('a@'),
    'almost addresses': many('a.b@c-'),
    schemes: many('a://b:c'),
    'backslashes and percent signs': many('\\u0041%41'),
    'zero width and percent signs': many('a\u200b%61\\'),
    brackets: many(' ['),
    'objects that do not end': many('{"a":\n'),
    'base64 of base64': many(`${nested(4)} `),
    'short runs of base64': many(`${Buffer.from('token=abc').toString('base64')} `),
    'the middle of a value': many(secret.slice(3, -3)),
    'beginnings of keys': many('-----BEGIN PRIVATE KEY-----\n'),
    addresses: many('ab@cd.io,'),
    'phone numbers': many('+49 30 901820, '),
    'account numbers': many('DE89 3704 0044 0532 0130 00\n'),
    tables: many('| a | b |\n|-|-|\n'),
  };
  return [
    ...Object.entries(texts).map(([title, text]) => ({ title, text: textOf(text) })),
    ...manySmallValues(),
  ];
}

/** Data of nothing but short values that each ask for a look, so that there is as much work around them as in them. */
function manySmallValues(): Sample[] {
  const many = <T>(make: (at: number) => T): T[] =>
    Array.from({ length: Math.ceil(SIZE / (JSON.stringify(make(0)).length + 1)) }, (_, at) => make(at));
  const results: Record<string, object> = {
    'an address each': { rows: many(() => 'ab@cd.io') },
    'a card each, as a number': { rows: many(() => 4111111111111111) },
    'an account number each': { rows: many(() => 'DE89370400440532013000') },
    'zero width each': { rows: many(() => 'a\u200b') },
    'a percent sign each': { rows: many(() => 'a%41') },
    'a password each': { rows: many(() => ({ password: 'x' })) },
    'JSON with an address each': { rows: many(() => '{"a":"ab@cd.io"}') },
    'a key that is an address each': Object.fromEntries(many((at) => [`a${at}@cd.io`, 1])),
  };
  return [
    ...Object.entries(results).map(([title, structuredContent]) => ({
      title: `values, ${title}`,
      text: message({ structuredContent }),
    })),
    {
      title: 'text blocks of an address',
      text: message({ content: many(() => ({ type: 'text', text: 'ab@cd.io' })) }),
    },
  ];
}
