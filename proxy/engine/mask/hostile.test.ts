/** What is not masked stays as it is, and no input makes masking slow or lets a value by. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALPHANUMERIC, filler } from './detectors/detector.ts';
import { compileMasker, createKnownSecrets } from './index.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const SECRET = `zq${filler(ALPHANUMERIC, 22)}`;

const everything = maskPolicy({
  name: 'tools/all',
  direction: 'Both',
  detectors: [
    { preset: 'Credentials' },
    { preset: 'PaymentCards' },
    { preset: 'PersonalData' },
    { name: 'own', pattern: 'E-[0-9]{6}' },
  ],
  fields: [{ keys: ['password', 'api_key'] }, { jsonPath: '$.rows[*].ssn' }, { columns: ['ssn'] }],
});

const known = createKnownSecrets({ now: () => 0 });
known.set('test', [SECRET, '"quoted \\ secret"', 'ümläut-sécret']);
const masker = compileMasker([everything], { known, hashKey: new Uint8Array(32) });

/** JSON as other programs write it: odd numbers, needless escapes, spaces, any order of keys. */
const { json } = fc.letrec<{ json: string; leaf: string }>((tie) => {
  const space = fc.constantFrom('', '', ' ', '\n\t');
  const word = fc.stringMatching(/^[a-z ,;éλ日]{0,12}$/);
  const escapedWord = fc
    .tuple(
      word,
      fc.constantFrom('', '\\/', '\\u0041', '\\ud83d\\ude00', '\\ud800', '\\u00e9', '\\n\\t\\"\\\\'),
    )
    .map(([text, escape]) => `"${text}${escape}${text}"`);
  const list = (item: fc.Arbitrary<string>) =>
    fc.tuple(
      fc.array(
        fc.tuple(space, item, space).map((parts) => parts.join('')),
        { maxLength: 4 },
      ),
      space,
    );
  return {
    leaf: fc.oneof(
      escapedWord,
      word.map((text) => JSON.stringify(text)),
      fc.constantFrom(
        '9007199254740993',
        '1.0',
        '-0',
        '1E400',
        '1e-7',
        '0.10',
        'true',
        'false',
        'null',
        '12345.678900',
      ),
    ),
    json: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('leaf'),
      list(tie('json')).map(([items, end]) => `[${items.join(',')}${end}]`),
      list(tie('json')).map(
        ([items, end]) => `{${items.map((item, at) => `"k${at}\\u002d" :${item}`).join(',')}${end}}`,
      ),
    ),
  };
});

describe('what is not masked', () => {
  it('leaves as it came, byte for byte', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const copy = JSON.stringify(a);
        const text = ` {"jsonrpc":"2.0" ,"id": 1,"result":{"structuredContent":${a},"content":[{"type":"text","text":${copy}}],"x":${b}}}\n`;
        expect(masker.message(text, { purpose: 'release' })).toEqual({
          kind: 'released',
          text,
          masked: [],
          audited: [],
        });
      }),
      { numRuns: 500 },
    );
  });

  it('leaves as it came around what is masked', () => {
    fc.assert(
      fc.property(json, json, fc.constantFrom(SECRET, '\\u007a' + SECRET.slice(1)), (a, b, written) => {
        const message = (value: string): string => {
          const inner = `{"a":${a},"leak":"see ${value}\\u002e","b":${b}}`;
          return `{"result":{"content":[{"text":${JSON.stringify(inner)}}],"structuredContent":${inner},"${value}":[${b}]}}`;
        };
        expect(masker.message(message(written), { purpose: 'release' })).toMatchObject({
          text: message('[REDACTED:known-secret]'),
        });
      }),
      { numRuns: 300 },
    );
  });

  it('is valid text where the value needs escapes', () => {
    const leak = {
      result: { structuredContent: { a: 'x "quoted \\ secret" y', 'ümläut-sécret': '\n"quoted \\ secret"' } },
    };
    const outcome = masker.message(JSON.stringify(leak), { purpose: 'release' });
    expect(outcome.kind === 'released' && JSON.parse(outcome.text)).toEqual({
      result: {
        structuredContent: {
          a: 'x [REDACTED:known-secret] y',
          '[REDACTED:known-secret]': '\n[REDACTED:known-secret]',
        },
      },
    });
  });
});

describe('hostile input', () => {
  const deep = 10_000;
  const big = 300_000;
  it.each<[string, string]>([
    ['one letter again and again', 'a'.repeat(big)],
    ['one digit again and again', '4'.repeat(big)],
    ['digits and spaces', '4 '.repeat(big / 2)],
    ['prefixes of tokens', 'ghp_xoxb-sk_live_AKIAeyJ'.repeat(big / 24)],
    ['the beginning of keys', '-----BEGIN PRIVATE KEY-----\n'.repeat(big / 28)],
    ['at signs', 'a@'.repeat(big / 2)],
    ['parts of addresses', 'a.'.repeat(big / 2)],
    ['schemes', 'a://b:c'.repeat(big / 7)],
    ['assignments', 'password='.repeat(big / 9)],
    ['brackets', '['.repeat(deep)],
    ['lines that begin like JSON', '{"a":\n'.repeat(big / 6)],
    ['words that begin like JSON', ' [1'.repeat(big / 3)],
    ['deep JSON in a string', '['.repeat(deep) + ']'.repeat(deep)],
    ['backslashes', '\\'.repeat(big)],
    ['percent signs', '%25'.repeat(big / 3)],
    ['lone surrogates', '\ud800'.repeat(big)],
    ['zero width', '\u200b'.repeat(big)],
    ['base64 of base64', nested(6)],
    ['tables without end', '| ssn |\n|-|\n'.repeat(big / 12)],
    ['columns', `ssn,${','.repeat(1000)}\n`.repeat(200)],
    ['the middle of a secret', SECRET.slice(4, -4).repeat(big / 16)],
    ['line ends', '\n'.repeat(big)],
  ])('of %s is masked or withheld', (_, text) => {
    const message = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      result: { content: [{ type: 'text', text: `${text} ${SECRET}` }] },
    });
    const outcome = masker.message(message, { purpose: 'release' });
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
    if (outcome.kind === 'withheld') expect(outcome.reason).toMatch(/more work/);
    else expect(typeof JSON.parse(outcome.text)).toBe('object');
  });

  it('of many keys is gone through', () => {
    const keys = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}@example.org`, at]));
    const outcome = masker.message(JSON.stringify({ result: { structuredContent: keys } }), {
      purpose: 'release',
    });
    expect(outcome.kind).toBe('released');
    expect(outcome.kind === 'released' && outcome.text.endsWith('"[REDACTED:email]#50000":49999}}}')).toBe(
      true,
    );
  });

  it.each([
    ['addresses', 'person@company.example, '],
    ['phone numbers', '+49 30 901820, '],
    ['account numbers', 'DE89 3704 0044 0532 0130 00\n'],
  ])('of two hundred thousand %s in one text is masked', (_, one) => {
    const content = [{ type: 'text', text: one.repeat(200_000) }];
    const outcome = masker.message(JSON.stringify({ result: { content } }), { purpose: 'release' });
    expect(outcome.kind).toBe('released');
    if (outcome.kind !== 'released') return;
    expect(outcome.text).not.toMatch(/person@|901820|DE89/);
    expect(outcome.text.split('[REDACTED:')).toHaveLength(200_001);
  });

  it('of a list with many bad names is gone through', () => {
    const tools = Array.from({ length: 20_000 }, (_, at) => ({
      name: at % 2 === 0 ? `t${at}` : SECRET,
      title: SECRET,
    }));
    const outcome = masker.message(JSON.stringify({ result: { tools } }), { purpose: 'release' });
    expect(outcome.kind === 'released' && outcome.text.split('"name"').length).toBe(10_001);
  });

  it('that is no JSON is withheld, without quoting it', () => {
    const outcome = masker.message(`{"a":${SECRET}`, { purpose: 'release' });
    expect(outcome.kind).toBe('withheld');
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
  });

  it('of a pattern that looks far ahead of every match is withheld in the end', () => {
    let now = 0;
    const looking = { ...everything, detectors: [{ name: 'far', pattern: 'a(?:[^z]*z)?' }] };
    const one = compileMasker([looking], { known, hashKey: new Uint8Array(32), monotonic: () => (now += 1) });
    expect(one.text('a'.repeat(500), { purpose: 'release' })).toMatchObject({ kind: 'released' });
    expect(one.text('a'.repeat(5000), { purpose: 'release' })).toMatchObject({ kind: 'withheld' });
  });

  it('ends the same way every time when the budget is spent', () => {
    const message = JSON.stringify({
      result: { structuredContent: Array.from({ length: 2000 }, () => nested(9).slice(0, 500)) },
    });
    const outcomes = [1, 2].map(() => masker.message(message, { purpose: 'release' }));
    expect(outcomes[0]).toEqual(outcomes[1]);
  });
});

/** Base64 of base64, each time with the value in the middle of other text. */
function nested(times: number): string {
  let text = SECRET;
  for (let time = 0; time < times; time += 1) text = Buffer.from(`${text} and ${text}`).toString('base64');
  return text;
}
