/** Values split over neighbouring texts of one message, and over the messages of one stream. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskPolicy } from '../../../crds/bundle.ts';
import { ALPHANUMERIC, filler } from './detectors/detector.ts';
import { compileMasker, createKnownSecrets, StreamMemory, type Masker } from './index.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const SECRET = `zq${filler(ALPHANUMERIC, 30)}`;
const TOKEN = `ghp_${filler(ALPHANUMERIC, 36)}`;
const CLEAN = [
  'Building 3 of 7',
  'step 12: copy files',
  'https://example.org/a?b=c',
  'password:',
  '10',
  '20',
  '30',
];

const credentials = maskPolicy({
  name: 'tools/all',
  detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
});

function masker(secrets: readonly string[] = [SECRET], policies: readonly MaskPolicy[] = []): Masker {
  const known = createKnownSecrets({ now: () => 0 });
  known.set('test', secrets);
  return compileMasker(policies, { known, hashKey: new Uint8Array(32) });
}

type Write = (text: string, at: number) => object;
const log: Write = (data) => ({ method: 'notifications/message', params: { level: 'info', data } });
const nested: Write = (text, at) => ({
  method: 'notifications/message',
  params: { level: 'info', data: { delta: { text }, at } },
});
const progress: Write = (message, at) => ({
  method: 'notifications/progress',
  params: { progressToken: 7, progress: at, message },
});
const status: Write = (statusMessage) => ({
  method: 'notifications/tasks/status',
  params: { taskId: 't', statusMessage },
});
const vendor: Write = (chunk) => ({ method: 'notifications/vendor', params: { chunk } });

/** What a client gets of the texts, message by message. */
function throughStream(one: Masker, texts: readonly string[], write: Write): string[] {
  const stream = new StreamMemory();
  return texts.map((text, at) => {
    const message = JSON.stringify({ jsonrpc: '2.0', ...write(text, at) });
    const outcome = one.message(message, { purpose: 'release', stream });
    if (outcome.kind === 'withheld') throw new Error(outcome.reason);
    return outcome.text;
  });
}

/** The longest part of the value that is there, wherever it was cut. */
function longestShown(value: string, shown: string): number {
  let longest = 0;
  for (let from = 0; from < value.length; from += 1)
    while (shown.includes(value.slice(from, from + longest + 1)) && from + longest < value.length)
      longest += 1;
  return longest;
}

/** A text cut into so many pieces, anywhere. */
const cuts = (text: string) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: text.length - 1 }), { minLength: 1, maxLength: 12 })
    .map((places) => {
      const at = [0, ...places.toSorted((a, b) => a - b), text.length];
      return at.slice(1).map((end, index) => text.slice(at[index], end));
    });

describe.each(Object.entries({ log, nested, progress, status, vendor }))('a stream of %s', (_, write) => {
  it('gives away less than eight characters of a value that is cut anywhere', () => {
    fc.assert(
      fc.property(cuts(`so: ${SECRET} and on`), (pieces) => {
        const shown = throughStream(masker(), pieces, write).join('\n');
        expect(longestShown(SECRET, shown)).toBeLessThan(8);
        expect(shown).toContain('[REDACTED:known-secret]');
      }),
      { numRuns: 300 },
    );
  });

  it('gives away less than eight characters where a value comes letter by letter', () => {
    const shown = throughStream(masker(), Array.from(SECRET), write).join('');
    const letters = [...shown.matchAll(/"(?:data|text|message|statusMessage|chunk)":"(.)"/g)];
    expect(letters.length).toBeLessThan(8);
  });

  it('lets every clean message through at once and as it is', () => {
    for (const one of [masker(), masker([SECRET], [credentials])]) {
      const messages = CLEAN.map((text, at) => JSON.stringify({ jsonrpc: '2.0', ...write(text, at) }));
      expect(throughStream(one, CLEAN, write)).toEqual(messages);
    }
  });

  it('masks the rest of a credential that began before', () => {
    const shown = throughStream(
      masker([], [credentials]),
      [`t=${TOKEN.slice(0, 18)}`, `${TOKEN.slice(18)} ok`],
      write,
    );
    expect(shown[1]).toContain('[REDACTED:github-token] ok');
  });

  it('masks values in their encodings', () => {
    for (const encoded of [Buffer.from(SECRET).toString('base64'), Buffer.from(SECRET).toString('hex')]) {
      const shown = throughStream(masker(), [encoded.slice(0, 20), encoded.slice(20)], write);
      expect(longestShown(encoded, shown.join('\n'))).toBeLessThan(8);
    }
  });
});

describe('a stream', () => {
  it('keeps apart what stands at different places, and puts together what one logger says', () => {
    const say = (logger: string, data: string) =>
      JSON.stringify({ method: 'notifications/message', params: { logger, data } });
    const stream = new StreamMemory();
    const one = masker();
    const texts = [
      say('a', `x ${SECRET.slice(0, 6)}`),
      say('b', 'hello'),
      say('a', SECRET.slice(6)),
      say('b', ' world'),
    ];
    const shown = texts.map((text) => {
      const outcome = one.message(text, { purpose: 'release', stream });
      return outcome.kind === 'released' ? outcome.text : '';
    });
    expect(shown[1]).toBe(texts[1]);
    expect(shown[2]).toContain('"[REDACTED:known-secret]"');
    expect(shown[3]).toBe(texts[3]);
  });

  it('does not mix with another', () => {
    const one = masker();
    const half = (text: string) =>
      JSON.stringify({ method: 'notifications/message', params: { data: text } });
    const rest = half(SECRET.slice(5, 12));
    one.message(half(SECRET.slice(0, 5)), { purpose: 'release', stream: new StreamMemory() });
    expect(one.message(rest, { purpose: 'release', stream: new StreamMemory() })).toMatchObject({
      text: rest,
    });
  });

  it('forgets places beyond a bound, and long texts but for their ends', () => {
    const stream = new StreamMemory();
    for (let place = 0; place < 1000; place += 1) stream.remember(`p${place}`, 'x'.repeat(10_000));
    expect(stream.tail('p0')).toBe('');
    expect(stream.tail('p999')).toHaveLength(4096);
  });

  it('says where and by what', () => {
    const stream = new StreamMemory();
    const outcome = masker().message(
      JSON.stringify({ method: 'notifications/message', params: { data: `at ${SECRET.slice(0, 20)}` } }),
      { purpose: 'release', stream },
    );
    expect(outcome).toMatchObject({
      text: expect.stringContaining('"at [REDACTED:known-secret]"') as unknown,
      masked: [{ path: '$.params.data', detector: 'known-secret' }],
    });
  });
});

describe('texts of one message', () => {
  const parted = (pieces: readonly string[]) => ({
    content: pieces.map((text) => ({ type: 'text', text })),
    contents: pieces.map((text) => ({ uri: 'a:b', text })),
    messages: pieces.map((text) => ({ role: 'user', content: { type: 'text', text } })),
  });

  it.each(['content', 'contents', 'messages'] as const)(
    'that lie next to each other in %s give nothing away',
    (member) => {
      fc.assert(
        fc.property(cuts(`so: ${SECRET} and on`), (pieces) => {
          const result = { [member]: parted(pieces)[member] };
          const outcome = masker().message(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), {
            purpose: 'release',
          });
          if (outcome.kind === 'withheld') throw new Error(outcome.reason);
          const texts = [...outcome.text.matchAll(/"text":"([^"]*)"/g)].map((match) => match[1]).join('');
          expect(texts.replaceAll('[REDACTED:known-secret]', '')).toBe('so:  and on');
        }),
        { numRuns: 200 },
      );
    },
  );

  it('that are JSON in which part of a value stands go as a whole', () => {
    const result = {
      content: parted([`{"a":"x","b":"${SECRET.slice(0, 9)}`, `${SECRET.slice(9)}"}`]).content,
    };
    const outcome = masker().message(JSON.stringify({ result }), { purpose: 'release' });
    expect(longestShown(SECRET, JSON.stringify(outcome))).toBeLessThan(4);
  });

  it('are as they were where nothing is split', () => {
    const text = JSON.stringify({
      result: { content: parted([SECRET.slice(0, 9), 'x', SECRET.slice(9)]).content },
    });
    expect(masker().message(text, { purpose: 'release' })).toMatchObject({ text, masked: [] });
  });
});
