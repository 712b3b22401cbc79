import { describe, expect, it } from 'vitest';
import type { MaskPolicy } from '../../../crds/bundle.ts';
import { ALPHANUMERIC, filler } from './detectors/detector.ts';
import {
  compileMasker,
  createKnownSecrets,
  MaskPolicyError,
  type MaskAbout,
  type MaskOutcome,
} from './index.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const SECRET = `sk-${filler(ALPHANUMERIC, 24)}`;
const CARD = '4111 1111 1111 ' + '1111';
const EMAIL = 'ada@' + 'example.org';

function masker(...policies: Partial<MaskPolicy>[]) {
  const known = createKnownSecrets({ now: () => 0 });
  known.set('test', [SECRET]);
  return compileMasker(policies.map(maskPolicy), { known, hashKey: new Uint8Array(32).fill(7) });
}

function release(
  policies: Partial<MaskPolicy>[],
  result: unknown,
  about: Partial<MaskAbout> = {},
): MaskOutcome {
  return masker(...policies).message(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), {
    purpose: 'release',
    ...about,
  });
}

/** The result as released; fails the test where it was withheld. */
function released(policies: Partial<MaskPolicy>[], result: unknown, about: Partial<MaskAbout> = {}): unknown {
  const outcome = release(policies, result, about);
  if (outcome.kind === 'withheld') throw new Error(outcome.reason);
  const message: unknown = JSON.parse(outcome.text);
  return typeof message === 'object' && message !== null && 'result' in message ? message.result : undefined;
}

const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const all: Partial<MaskPolicy> = {
  detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
};

describe('detectors', () => {
  it('replace what they find and name themselves', () => {
    expect(released([all], text(`Card ${CARD}, mail ${EMAIL}.`))).toEqual(
      text('Card [REDACTED:payment-card], mail [REDACTED:email].'),
    );
  });

  it('of a policy are RE2 patterns, in leaves and keys, at any place of a leaf', () => {
    const detectors = [{ name: 'employee-id', pattern: 'E-[0-9]{6}' }];
    expect(
      released([{ detectors }], {
        structuredContent: { 'E-123456': 'E-1234567 and E-12', a: ['xE-654321'] },
      }),
    ).toEqual({
      structuredContent: {
        '[REDACTED:employee-id]': '[REDACTED:employee-id]7 and E-12',
        a: ['x[REDACTED:employee-id]'],
      },
    });
  });

  it('of a policy may be tied to the ends of a value', () => {
    const detectors = [{ name: 'whole', pattern: '^[A-Z]{3}$' }];
    expect(released([{ detectors }], { structuredContent: { a: 'ABC', b: 'ABCD', c: '"ABC"' } })).toEqual({
      structuredContent: { a: '[REDACTED:whole]', b: 'ABCD', c: '"ABC"' },
    });
  });

  it('examine numbers and turn a masked one into a string', () => {
    const number = Number(CARD.replaceAll(' ', ''));
    expect(released([all], { structuredContent: { card: number, ok: 4111111111111112 } })).toEqual({
      structuredContent: { card: '[REDACTED:payment-card]', ok: 4111111111111112 },
    });
  });

  it('see a random value by the key it is under', () => {
    const value = filler(ALPHANUMERIC, 24);
    expect(released([all], { structuredContent: { db_password: value, name: value } })).toEqual({
      structuredContent: { db_password: '[REDACTED:assigned-secret-member]', name: value },
    });
  });

  it('leave alone what only looks like it', () => {
    const harmless = [
      '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      '9fceb02d0ae598e95dc970b74767f19372d61af8',
      '2026-11-20T10:11:12.345Z',
      '1761563012345',
      'Order 4111111111111112, total 1,234,567.89 USD',
      'version 10.20.30.40, sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      Buffer.from(Array.from({ length: 4000 }, (_, at) => (at * 7919) % 251)).toString('base64'),
      'https://example.org/a/b?c=d#e and mailto: nothing, user@localhost',
      'tokens: 1200, password reset sent, secret santa',
    ];
    for (const value of harmless)
      expect(release([all], text(value))).toMatchObject({ kind: 'released', masked: [] });
  });
});

describe('fields', () => {
  const keys: Partial<MaskPolicy> = { fields: [{ keys: ['api_key', 'password'] }] };

  it('by key mind neither case nor separators, at any depth', () => {
    const data = {
      apiKey: 'a',
      x: [{ 'API-KEY': 'b', 'api key': 5 }],
      password: ['c', { d: 'e', f: null, g: true }],
      api_keys: 'f',
    };
    expect(released([keys], { structuredContent: data })).toEqual({
      structuredContent: {
        apiKey: '[REDACTED:key:api_key]',
        x: [{ 'API-KEY': '[REDACTED:key:api_key]', 'api key': '[REDACTED:key:api_key]' }],
        password: [
          '[REDACTED:key:password]',
          { d: '[REDACTED:key:password]', f: null, g: '[REDACTED:key:password]' },
        ],
        api_keys: 'f',
      },
    });
  });

  it('by key reach into JSON in text, wherever it stands there', () => {
    const row = (value: string): string => JSON.stringify({ id: 1, api_key: value });
    const texts = [
      row('x'),
      `Found: ${row('x')}\nand ${row('y')}, [sic]`,
      `${row('x')}\n${row('y')}\n`,
      `\`\`\`json\n${row('x')}\n\`\`\``,
      JSON.stringify({ inner: row('x') }),
    ];
    for (const value of texts) {
      const masked = JSON.stringify(released([keys], text(value)));
      expect(masked).toContain('[REDACTED:key:api_key]');
      expect(JSON.parse(masked)).toEqual(
        text(value.replaceAll(/(api_key\W+?)[xy]/g, '$1[REDACTED:key:api_key]')),
      );
    }
  });

  it('by key do not touch members of the protocol, nor the language of a schema', () => {
    const tools = [
      {
        name: 'login',
        description: 'name and text',
        inputSchema: {
          type: 'object',
          properties: { password: { type: 'string', description: 'yours', default: 'hunter2' } },
          required: ['password'],
        },
      },
    ];
    const names: Partial<MaskPolicy> = {
      fields: [{ keys: ['name', 'type', 'text', 'description', 'password'] }],
    };
    expect(released([names], { tools, content: [{ type: 'text', text: 'x' }] })).toEqual({
      tools: [
        {
          ...tools[0],
          inputSchema: {
            type: 'object',
            properties: {
              password: { type: 'string', description: 'yours', default: '[REDACTED:key:password]' },
            },
            required: ['password'],
          },
        },
      ],
      content: [{ type: 'text', text: 'x' }],
    });
  });

  it('by JSONPath take the payload, the JSON of its text copy, or the message for their root', () => {
    const data = {
      rows: [
        { id: 1, ssn: 'a' },
        { id: 2, ssn: 9 },
      ],
    };
    const masked = {
      rows: [
        { id: 1, ssn: '[REDACTED:path:$.rows[*].ssn]' },
        { id: 2, ssn: '[REDACTED:path:$.rows[*].ssn]' },
      ],
    };
    const rows: Partial<MaskPolicy> = { fields: [{ jsonPath: '$.rows[*].ssn' }] };
    expect(released([rows], { structuredContent: data, ...text(JSON.stringify(data)) })).toEqual({
      structuredContent: masked,
      ...text(JSON.stringify(masked)),
    });
    const root: Partial<MaskPolicy> = { fields: [{ jsonPath: '$.result.content[*].text' }] };
    expect(released([root], text('all of it'))).toEqual(text('[REDACTED:path:$.result.content[*].text]'));
  });

  it('by JSONPath use RE2 in filters', () => {
    const filter: Partial<MaskPolicy> = { fields: [{ jsonPath: "$.rows[?match(@.kind, '(a+)+')].v" }] };
    const rows = [
      { kind: 'aaa', v: 'x' },
      { kind: `${'a'.repeat(5000)}!`, v: 'y' },
    ];
    expect(released([filter], { structuredContent: { rows } })).toMatchObject({
      structuredContent: { rows: [{ v: expect.stringContaining('REDACTED') as unknown }, { v: 'y' }] },
    });
  });

  const columns: Partial<MaskPolicy> = { fields: [{ columns: ['ssn'] }] };
  it.each([
    [
      'CSV',
      'id,SSN,name\n1,123,Ada\n2,"4,5",Bob\n\nssn is a word',
      'id,SSN,name\n1,#,Ada\n2,"#",Bob\n\nssn is a word',
    ],
    ['CSV with quotes', '"id","s-s-n"\r\n"1","a""b\nc"\r\n', '"id","s-s-n"\r\n"1","#"\r\n'],
    ['CSV with ;', 'ssn;id\n12;3', 'ssn;id\n#;3'],
    ['TSV', 'id\tssn\n1\t2\n', 'id\tssn\n1\t#\n'],
    [
      'Markdown',
      'Rows:\n| id | ssn |\n|---|:---:|\n| 1 | 22 |\n| 2 | a\\|b |\n\n| 3 | 4 |',
      'Rows:\n| id | ssn |\n|---|:---:|\n| 1 | # |\n| 2 | # |\n\n| 3 | 4 |',
    ],
    ['psql', ' id | ssn \n----+-----\n  1 | 22\n(1 row)', ' id | ssn \n----+-----\n  1 | #\n(1 row)'],
    [
      'mysql',
      '+----+-----+\n| id | ssn |\n+----+-----+\n|  1 | 22  |\n+----+-----+',
      '+----+-----+\n| id | ssn |\n+----+-----+\n|  1 | #  |\n+----+-----+',
    ],
  ])('by column mask %s', (_, table, expected) => {
    expect(released([columns], text(table))).toEqual(text(expected.replaceAll('#', '[REDACTED:column:ssn]')));
  });

  it('by column mask rows of objects and rows of cells in JSON', () => {
    const masked = '[REDACTED:column:ssn]';
    expect(released([columns], { structuredContent: { rows: [{ id: 1, ssn: 2 }] } })).toEqual({
      structuredContent: { rows: [{ id: 1, ssn: masked }] },
    });
    expect(
      released([columns], {
        structuredContent: {
          fields: [{ name: 'id' }, { name: 'ssn' }],
          rows: [
            [1, 2],
            [3, 'x'],
          ],
        },
      }),
    ).toEqual({
      structuredContent: {
        fields: [{ name: 'id' }, { name: 'ssn' }],
        rows: [
          [1, masked],
          [3, masked],
        ],
      },
    });
    expect(released([columns], text('[["id","ssn"],[1,2]]'))).toEqual(text(`[["id","ssn"],[1,"${masked}"]]`));
  });
});

describe('actions', () => {
  const detectors = all.detectors ?? [];

  it('Partial shows the last four of what is long enough', () => {
    const partial: Partial<MaskPolicy> = { detectors, fields: [{ keys: ['pin'] }], action: 'Partial' };
    expect(released([partial], { structuredContent: { pin: '1234567', a: CARD } })).toEqual({
      structuredContent: { pin: '[REDACTED:key:pin]', a: '[PARTIAL:payment-card:1111]' },
    });
  });

  it('Hash is equal for equal values, however they are written, and differs by key', () => {
    const hash = { detectors, action: 'Hash' } as const;
    const result = released(
      [hash],
      text(`${CARD} ${CARD.replaceAll(' ', '')} ${EMAIL} ${EMAIL.toUpperCase()}`),
    );
    const hashes = [...JSON.stringify(result).matchAll(/\[HASH:[a-z-]+:([0-9a-f]{16})\]/g)].map(
      (match) => match[1],
    );
    expect(hashes).toHaveLength(4);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).toBe(hashes[3]);
    const other = compileMasker([maskPolicy(hash)], {
      known: createKnownSecrets({ now: () => 0 }),
      hashKey: new Uint8Array(32),
    });
    expect(other.text(CARD, { purpose: 'release' })).not.toMatchObject({
      text: `[HASH:payment-card:${hashes[0] ?? ''}]`,
    });
  });

  it('Block withholds the message, and says which policy and where, not what', () => {
    const outcome = release([{ detectors, action: 'Block' }], text(`x ${CARD}`));
    expect(outcome).toEqual({
      kind: 'withheld',
      reason: expect.stringMatching(/tools\/p.*payment-card.*\$\.result\.content\[0\]\.text/) as unknown,
      masked: [{ path: '$.result.content[0].text', detector: 'payment-card' }],
    });
    expect(JSON.stringify(outcome)).not.toContain('1111');
  });

  it('combine Block over Redact over Hash over Partial', () => {
    const order = ['Partial', 'Hash', 'Redact', 'Block'] as const;
    for (const [at, action] of order.entries()) {
      const policies = order
        .slice(0, at + 1)
        .map((one) => ({ name: `tools/${one}`, detectors, action: one }));
      const outcome = release(policies.toReversed(), text(CARD));
      const shown = outcome.kind === 'withheld' ? 'Block' : (/\[([A-Z]+):/.exec(outcome.text)?.[1] ?? '');
      expect(shown.toLowerCase().slice(0, 4)).toBe(action.toLowerCase().slice(0, 4));
    }
  });

  it('in mode Audit only count', () => {
    const outcome = release([{ detectors, mode: 'Audit', action: 'Block' }], text(CARD));
    expect(outcome).toMatchObject({
      kind: 'released',
      masked: [],
      audited: [{ path: '$.result.content[0].text', detector: 'payment-card' }],
    });
  });
});

describe('exclusions', () => {
  const detectors = all.detectors ?? [];
  const data = { rows: [{ order_id: CARD, card: CARD, note: SECRET }] };

  it('by path, tool and detector weaken their own policy, and never a known secret', () => {
    const path = { detectors, exclude: [{ jsonPath: '$.rows[*].order_id' }, { jsonPath: '$.rows[*].note' }] };
    expect(released([path], { structuredContent: data, ...text(JSON.stringify(data)) })).toMatchObject({
      structuredContent: {
        rows: [{ order_id: CARD, card: '[REDACTED:payment-card]', note: '[REDACTED:known-secret]' }],
      },
      content: [
        {
          text: JSON.stringify({
            rows: [{ order_id: CARD, card: '[REDACTED:payment-card]', note: '[REDACTED:known-secret]' }],
          }),
        },
      ],
    });
    const tool = { detectors, exclude: [{ tools: ['get_*'] }] };
    expect(released([tool], text(`${CARD} ${SECRET}`), { tool: 'get_weather' })).toEqual(
      text(`${CARD} [REDACTED:known-secret]`),
    );
    expect(released([tool], text(CARD), { tool: 'list' })).toEqual(text('[REDACTED:payment-card]'));
    const detector = { detectors, exclude: [{ detectors: ['payment-card', 'known-secret'] }] };
    expect(released([detector], text(`${CARD} ${SECRET}`))).toEqual(text(`${CARD} [REDACTED:known-secret]`));
    expect(released([path, { name: 'tools/q', detectors }], { structuredContent: data })).toMatchObject({
      structuredContent: { rows: [{ order_id: '[REDACTED:payment-card]' }] },
    });
  });
});

describe('purposes', () => {
  const detectors = all.detectors ?? [];
  const call = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'q', arguments: { a: CARD } },
  });

  it.each([
    ['Response', 'release', true],
    ['Response', 'request', false],
    ['Response', 'record', true],
    ['Request', 'release', false],
    ['Request', 'request', true],
    ['Both', 'release', true],
    ['Both', 'request', true],
  ] as const)('direction %s masks for %s: %s', (direction, purpose, masks) => {
    const outcome = masker({ direction, detectors }).message(call, { purpose });
    expect(outcome.kind === 'released' && outcome.text.includes('payment-card')).toBe(masks);
  });

  it('record keeps a blocked or opaque value out and the message in', () => {
    const message = JSON.stringify({
      jsonrpc: '2.0',
      id: SECRET,
      method: 'x',
      params: { name: SECRET, arguments: { a: CARD } },
    });
    expect(masker({ detectors, action: 'Block' }).message(message, { purpose: 'record' })).toMatchObject({
      text: '{"jsonrpc":"2.0","id":"[REDACTED:known-secret]","method":"x","params":{"name":"[REDACTED:known-secret]","arguments":{"a":"[REDACTED:payment-card]"}}}',
    });
    expect(masker().message(message, { purpose: 'request' })).toMatchObject({ kind: 'withheld' });
  });
});

describe('outputSchema', () => {
  const keys: Partial<MaskPolicy> = { fields: [{ keys: ['secret'] }] };
  const object = (secret: unknown, more = {}) => ({ type: 'object', properties: { secret }, ...more });
  const cases: [string, unknown, boolean][] = [
    ['a string', object({ type: 'string' }), true],
    ['a string or null', object({ type: ['null', 'string'] }), true],
    ['anything', object({}), true],
    ['nothing said', object({ type: 'string', maxLength: 100 }), true],
    ['a number', object({ type: 'number' }), false],
    ['an enum', object({ enum: ['a', 'b'] }), false],
    ['a const', object({ const: 'a' }), false],
    ['a pattern', object({ type: 'string', pattern: '^[a-z]+$' }), false],
    ['a pattern that fits', object({ type: 'string', pattern: '^.{2,}$' }), true],
    ['a format', object({ type: 'string', format: 'email' }), false],
    ['a length', object({ type: 'string', maxLength: 5 }), false],
    ['a reference', { ...object({ $ref: '#/$defs/n' }), $defs: { n: { type: 'integer' } } }, false],
    [
      'a reference in a circle',
      { ...object({ $ref: '#/$defs/n' }), $defs: { n: { $ref: '#/$defs/n' } } },
      false,
    ],
    ['a reference elsewhere', object({ $ref: 'https://example.org/x' }), false],
    ['one of several', object({ anyOf: [{ type: 'number' }, { type: 'string' }] }), true],
    ['none of several', object({ oneOf: [{ type: 'number' }, { type: 'string', format: 'uri' }] }), false],
    ['all of several', { allOf: [object({}), object({ type: 'number' })] }, false],
    ['additional members', { type: 'object', additionalProperties: { type: 'number' } }, false],
    ['members by pattern', { type: 'object', patternProperties: { '^sec': { type: 'number' } } }, false],
  ];

  it.each(cases)('that asks for %s: %#', (_, outputSchema, fits) => {
    const outcome = release([keys], { structuredContent: { secret: 'x' } }, { outputSchema });
    expect(outcome.kind).toBe(fits ? 'released' : 'withheld');
    if (outcome.kind === 'withheld') expect(outcome.reason).toMatch(/outputSchema/);
  });

  it('does not concern what is not in structuredContent, or is not masked', () => {
    const outputSchema = object({ type: 'number' });
    expect(
      release([keys], { ...text('{"secret":1}'), structuredContent: { other: 1 } }, { outputSchema }),
    ).toMatchObject({ kind: 'released' });
  });

  it('follows arrays', () => {
    const outputSchema = {
      properties: { rows: { type: 'array', prefixItems: [{}], items: object({ type: 'number' }) } },
    };
    const rows = (count: number) => ({
      structuredContent: { rows: Array.from({ length: count }, () => ({ secret: 1 })) },
    });
    expect(release([keys], rows(1), { outputSchema }).kind).toBe('released');
    expect(release([keys], rows(2), { outputSchema }).kind).toBe('withheld');
  });

  it('withholds where a masked key was promised', () => {
    const result = { structuredContent: { [SECRET]: 1 } };
    expect(release([], result, { outputSchema: { additionalProperties: false } }).kind).toBe('withheld');
    expect(release([], result, { outputSchema: { required: [SECRET] } }).kind).toBe('withheld');
    expect(release([], result, { outputSchema: { type: 'object' } }).kind).toBe('released');
  });
});

describe('keys', () => {
  it('that become equal are told apart, and paths do not show them', () => {
    const outcome = release([all], { structuredContent: { [EMAIL]: SECRET, [`x${EMAIL}`]: 2 } });
    expect(outcome).toMatchObject({
      text: expect.stringContaining(
        '{"[REDACTED:email]":"[REDACTED:known-secret]","[REDACTED:email]#2":2}',
      ) as unknown,
      masked: [
        { path: "$.result.structuredContent['…']", detector: 'email' },
        { path: "$.result.structuredContent['…']", detector: 'known-secret' },
      ],
    });
  });

  it('that would still be twice in one object withhold the message', () => {
    const result = { structuredContent: { '[REDACTED:known-secret]': 1, [SECRET]: 2 } };
    expect(release([], result).kind).toBe('withheld');
  });
});

describe('text', () => {
  it('is masked as JSON where it is JSON, else as text', () => {
    const one = masker({ fields: [{ keys: ['token'] }], detectors: [{ preset: 'PersonalData' }] });
    expect(one.text('{"token":"x","n":1.0}', { purpose: 'release' })).toMatchObject({
      text: '{"token":"[REDACTED:key:token]","n":1.0}',
    });
    expect(one.text(`Location: /u/${EMAIL}?k=${SECRET}`, { purpose: 'release' })).toMatchObject({
      text: 'Location: /u/[REDACTED:email]?k=[REDACTED:known-secret]',
      masked: [
        { path: '$', detector: 'email' },
        { path: '$', detector: 'known-secret' },
      ],
    });
  });
});

describe('compileMasker', () => {
  it.each<[string, Partial<MaskPolicy>, RegExp]>([
    [
      'a pattern that is no RE2',
      { detectors: [{ name: 'x', pattern: '(?=a)' }] },
      /tools\/p.*detector x.*RE2/,
    ],
    ['a pattern that matches nothing at all', { detectors: [{ name: 'x', pattern: 'a*' }] }, /empty text/],
    ['a JSONPath that is none', { fields: [{ jsonPath: '$.rows[' }] }, /tools\/p.*JSONPath/],
    ['an exclusion that is no JSONPath', { exclude: [{ jsonPath: 'rows' }] }, /JSONPath/],
    [
      'a JSONPath that visits everything again and again',
      { fields: [{ jsonPath: '$..a..b..c' }] },
      /more than two/,
    ],
  ])('refuses %s with a sentence', (_, parts, sentence) => {
    expect(() => masker(parts)).toThrow(MaskPolicyError);
    expect(() => masker(parts)).toThrow(sentence);
  });
});

describe('numbers amid words', () => {
  const about = { purpose: 'release' } as const;
  it.each([
    ['an IBAN that words follow', 'pay DE89 3704 0044 0532 0130 00 and be done', 'pay # and be done'],
    ['an IBAN with few digits', 'to MT84MALT011000012345MTLCAST001S today', 'to # today'],
    ['an NIE, which has seven digits', 'NIE X-1234567-L', 'NIE #'],
  ])('%s is found', (_, given, expected) => {
    const outcome = masker(all).text(given, about);
    expect(outcome.kind === 'released' && outcome.text.replaceAll(/\[REDACTED:[a-z-]+\]/g, '#')).toBe(
      expected,
    );
    const message = JSON.stringify({ result: { structuredContent: { a: given } } });
    expect(masker(all).message(message, about).masked).toHaveLength(1);
  });
});
