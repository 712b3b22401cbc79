import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODINGS } from '../../../test/masking/encodings.ts';
import { Budget } from './budget.ts';
import { ALPHANUMERIC, filler } from './detectors/detector.ts';
import { compileMasker, createKnownSecrets } from './index.ts';

function maskerFor(...values: string[]) {
  const known = createKnownSecrets({ now: () => 0 });
  known.set('test', values);
  return compileMasker([], { known, hashKey: new Uint8Array(32) });
}

/** Well-formed text of at least eight characters that is not blank at its ends, as credentials are. */
const secret = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/),
  fc.stringMatching(/^[!-~]{8,40}$/),
  fc.stringMatching(/^[!-~][ -~]{6,30}[!-~]$/),
  fc
    .string({ unit: 'grapheme', minLength: 10, maxLength: 30 })
    .filter((value) => value.trim() === value && value.isWellFormed()),
);

describe.each(Object.entries(ENCODINGS))('a known secret as %s', (_, encode) => {
  it('never leaves', () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom('', 'value=', 'see: "'),
        fc.constantFrom('', ' end', '"\n'),
        (value, before, after) => {
          const encoded = encode(value);
          const text = before + encoded + after;
          const message = JSON.stringify({
            jsonrpc: '2.0',
            id: 1,
            result: { content: [{ type: 'text', text }] },
          });
          const outcome = maskerFor(value).message(message, { purpose: 'release' });
          expect(outcome.kind).toBe('released');
          if (outcome.kind !== 'released') return;
          expect(outcome.text).toContain('[REDACTED:known-secret]');
          expect(outcome.text).not.toContain(JSON.stringify(encoded).slice(1, -1));
          expect(outcome.masked).toEqual([{ path: '$.result.content[0].text', detector: 'known-secret' }]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('KnownSecrets', () => {
  it('finds ASCII values in base64 of UTF-16, as Windows shells take their commands', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{8,40}$/), (value) => {
        const command = Buffer.from(`echo ${value}`, 'utf16le').toString('base64');
        expect(maskerFor(value).text(`powershell -enc ${command}`, { purpose: 'release' })).toMatchObject({
          text: 'powershell -enc [REDACTED:known-secret]',
        });
      }),
    );
  });

  it('finds many values at once, and each again at every place', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{9,20}$/), { minLength: 1, maxLength: 80 }),
        (values) => {
          const outcome = maskerFor(...values).text(values.map((value) => `<${value}>,${value}!`).join(' '), {
            purpose: 'release',
          });
          expect(outcome.kind === 'released' && outcome.text).toBe(
            values.map(() => '<[REDACTED:known-secret]>,[REDACTED:known-secret]!').join(' '),
          );
        },
      ),
    );
  });

  it('finds values that overlap, or hold one another', () => {
    const outcome = maskerFor('abcdefgh', 'efghijkl', 'defg').text('x abcdefghijkl y abcdefgh z', {
      purpose: 'release',
    });
    expect(outcome).toMatchObject({ text: 'x [REDACTED:known-secret] y [REDACTED:known-secret] z' });
  });

  it('finds long values in any case, short ones as they are', () => {
    const masker = maskerFor('Correct-Horse-Battery', 'Pass1234');
    expect(masker.text('CORRECT-HORSE-BATTERY pass1234 Pass1234', { purpose: 'release' })).toMatchObject({
      text: '[REDACTED:known-secret] pass1234 [REDACTED:known-secret]',
    });
  });

  it('keeps what an owner gave up for a while, and then lets go', () => {
    let now = 0;
    const known = createKnownSecrets({ now: () => now, keepMs: 1000 });
    const masker = compileMasker([], { known, hashKey: new Uint8Array(32) });
    const leaks = (): boolean => {
      const outcome = masker.text('old-value-1 new-value-2', { purpose: 'release' });
      return outcome.kind === 'released' && outcome.text.includes('old-value-1');
    };
    known.set('vault', ['old-value-1']);
    known.set('other', ['old-value-1']);
    known.set('vault', ['new-value-2']);
    now = 5000;
    expect(leaks()).toBe(false);
    known.set('other', []);
    now = 5999;
    expect(leaks()).toBe(false);
    expect(known.size).toBe(2);
    now = 6000;
    expect(leaks()).toBe(true);
    expect(known.size).toBe(1);
    known.set('other', ['old-value-1']);
    expect(leaks()).toBe(false);
  });

  it('takes values of a thousand leases without forgetting those that are held', () => {
    let now = 0;
    const known = createKnownSecrets({ now: () => now, keepMs: 10 });
    const masker = compileMasker([], { known, hashKey: new Uint8Array(32) });
    known.set('pod', ['held-for-ever-1']);
    for (let lease = 0; lease < 1000; lease += 1) {
      now += 5;
      known.set('request', [`lease-value-${lease}-x`]);
      expect(masker.text(`lease-value-${lease}-x held-for-ever-1`, { purpose: 'release' })).toMatchObject({
        text: '[REDACTED:known-secret] [REDACTED:known-secret]',
      });
    }
    expect(known.size).toBeLessThan(6);
  });

  it('finds each of twenty thousand values from the moment it is told, and lets those go that are gone', () => {
    let now = 0;
    const known = createKnownSecrets({ now: () => now, keepMs: 1000 });
    const masker = compileMasker([], { known, hashKey: new Uint8Array(32) });
    const valueOf = (at: number): string =>
      `v-${Buffer.from(`user ${at} of many`).toString('base64url')}-${at}`;
    const isMasked = (at: number): boolean =>
      masker.text(`x ${Buffer.from(`: ${valueOf(at)}`).toString('base64')}`, { purpose: 'release' }).masked
        .length === 1;
    for (let at = 0; at < 20_000; at += 1) {
      known.set(`lease ${at}`, [valueOf(at)]);
      if (at % 997 === 0) expect([isMasked(at), isMasked(at >> 1)]).toEqual([true, true]);
    }
    for (let at = 0; at < 19_990; at += 1) known.set(`lease ${at}`, []);
    expect(isMasked(5)).toBe(true);
    now = 1000;
    expect([known.size, isMasked(5), isMasked(19_995)]).toEqual([10, false, true]);
    for (let at = 0; at < 19_990; at += 1) {
      known.set('request', [valueOf(at)]);
      now += 1;
    }
    expect(known.size).toBeLessThan(1020);
    expect([isMasked(19_988), isMasked(19_995)]).toEqual([true, true]);
  });

  it('tells another one what to match, and for how long', () => {
    const clock = { here: 0, there: 0 };
    const here = createKnownSecrets({ now: () => clock.here, keepMs: 1000 });
    here.set('a', ['held-before-one', 'held-all-along']);
    here.set('b', ['held-by-another']);
    clock.here = 400;
    here.set('a', ['held-all-along', 'held-since-then']);
    clock.here = 700;
    const there = createKnownSecrets({ now: () => clock.there, keepMs: 1000 });
    for (const { owner, values, at } of here.updates) {
      clock.there = at;
      there.set(owner, values);
    }
    const all = 'held-before-one held-all-along held-by-another held-since-then';
    for (const now of [700, 1399, 1400, 5000]) {
      clock.here = now;
      clock.there = now;
      const found = [here, there].map((known) => known.find(all, new Budget(1e6)).map(({ value }) => value));
      expect(found[1]).toEqual(found[0]);
      expect(found[0]).toHaveLength(now < 1400 ? 4 : 3);
    }
  });

  it('tells no value that nobody holds for long', () => {
    let now = 0;
    const known = createKnownSecrets({ now: () => now, keepMs: 1000 });
    const told = (): string[] => known.updates.flatMap(({ values }) => values);
    known.set('a', ['the-first-value']);
    now = 1;
    known.set('a', ['the-second-value']);
    now = 3000;
    known.set('a', ['the-third-value']);
    expect(told()).toEqual(['the-second-value', 'the-third-value']);
    known.set('a', []);
    now = 7000;
    known.set('b', ['another-value']);
    expect(known.updates.filter(({ values }) => values.length > 0)).toMatchObject([{ owner: 'b' }]);
  });

  it('counts who holds a value that several hold', () => {
    let now = 0;
    const known = createKnownSecrets({ now: () => now, keepMs: 1000 });
    const value = filler(ALPHANUMERIC, 24);
    const count = (): number => known.find(`<${value}>`, new Budget(1e6)).length;
    known.set('a', [value, value]);
    known.set('b', [value]);
    known.set('a', [value]);
    known.set('b', []);
    now = 5000;
    expect(count()).toBe(1);
    known.set('a', []);
    now = 5500;
    known.set('b', [value]);
    known.set('b', []);
    now = 6200;
    known.set('other', ['something else']);
    expect(count()).toBe(1);
    now = 6500;
    known.set('other', []);
    expect([count(), known.size]).toEqual([0, 1]);
  });

  it('says when a value is too short to be matched, and matches what is long enough', () => {
    const told: string[] = [];
    const known = createKnownSecrets({ now: () => 0, onTooShort: (owner) => told.push(owner) });
    known.set('pin', ['123', 'abcd', '']);
    const outcome = compileMasker([], { known, hashKey: new Uint8Array(32) }).text('123 abcd', {
      purpose: 'release',
    });
    expect(outcome).toMatchObject({ text: '123 [REDACTED:known-secret]' });
    expect(told).toEqual(['pin']);
  });

  it('matches a key file whole, without its last line end, and by its lines', () => {
    const line = (seed: number): string => Buffer.alloc(48, seed * 37).toString('base64');
    const pem = `-----BEGIN X-----\n${line(1)}\n${line(2)}\n-----END X-----\n`;
    const masker = maskerFor(pem);
    expect(masker.text(pem, { purpose: 'release' })).toMatchObject({ text: '[REDACTED:known-secret]\n' });
    expect(masker.text(`key: ${line(2)}`, { purpose: 'release' })).toMatchObject({
      text: 'key: [REDACTED:known-secret]',
    });
    expect(masker.text('-----BEGIN X-----', { purpose: 'release' })).toMatchObject({
      text: '-----BEGIN X-----',
      masked: [],
    });
  });

  it('finds a value that is JSON itself, as it is and within other JSON', () => {
    const key = `{"type":"service_account","private_key_id":"${'ab12'.repeat(9)}"}`;
    for (const text of [key, `{"a":${key}}`, JSON.stringify({ a: key }), `see ${key}\n{}`]) {
      const outcome = maskerFor(key).text(text, { purpose: 'release' });
      expect(outcome.kind === 'released' && outcome.text).not.toContain('ab12ab12');
      expect(outcome.masked).toEqual([{ path: '$', detector: 'known-secret' }]);
    }
    const account = {
      type: 'service_account',
      private_key_id: filler(ALPHANUMERIC, 40),
      uri: 'https://oauth2.example/t',
    };
    const printed = {
      result: { structuredContent: { uri: account.uri, private_key_id: account.private_key_id } },
    };
    expect(
      maskerFor(JSON.stringify(account)).message(JSON.stringify(printed), { purpose: 'release' }),
    ).toMatchObject({
      text: JSON.stringify(printed).replace(account.private_key_id, '[REDACTED:known-secret]'),
    });
  });

  it.each([
    ['! {}     "!', (value: string) => JSON.stringify(value).slice(1, -1)],
    ['! {} \\    !', (value: string) => JSON.stringify(JSON.stringify({ value }))],
    ['ab [1] cdefgh "ijk', (value: string) => JSON.stringify(value).slice(1, -1)],
    ['ab {"c": 1} defgh', (value: string) => encodeURI(value)],
  ])('finds %j, of which a part is JSON, where another part is written in another way', (value, write) => {
    const text = write(value);
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } });
    expect(maskerFor(value).message(message, { purpose: 'release' })).toMatchObject({
      kind: 'released',
      masked: [{ path: '$.result.content[0].text', detector: 'known-secret' }],
    });
  });

  it('withholds a message of which a value is several members', () => {
    const message = '{"result":{"structuredContent":{"user":"ada","pin":1234}}}';
    expect(maskerFor('"user":"ada","pin":1234').message(message, { purpose: 'release' })).toMatchObject({
      kind: 'withheld',
      reason: expect.stringMatching(/several members/) as unknown,
    });
    expect(maskerFor('"user":"bob","pin":1234').message(message, { purpose: 'release' })).toMatchObject({
      text: message,
    });
  });

  it('finds a value in a number', () => {
    const message = '{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"pin":90210477,"n":1.50}}}';
    expect(maskerFor('90210477').message(message, { purpose: 'release' })).toMatchObject({
      text: '{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"pin":"[REDACTED:known-secret]","n":1.50}}}',
    });
  });
});
