/** Answers that somebody made to get by a masker, or to stop it: refused or masked, and meanwhile others are served. */
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerOf, modernCall, type Way } from '../fixtures/hand-client.ts';
import { toolText } from '../fixtures/scripted-server.ts';
import { startWorld, type World } from './world.ts';

const SECRET = `zq-${randomBytes(16).toString('hex')}`;

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld({
    spec: {
      credentials: [
        {
          name: 'backend',
          source: { devFile: { path: 'backend.json' } },
          inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
        },
      ],
    },
    policies: [
      {
        kind: 'MaskingPolicy',
        metadata: { name: 'all' },
        spec: {
          targetRefs: [{ kind: 'McpGateway', name: 'main' }],
          detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
          fields: [{ keys: ['password'] }, { columns: ['ssn'] }],
        },
      },
    ],
    files: { 'backend.json': JSON.stringify({ key: SECRET }) },
  });
  ana = await world.as('ana');
});
afterAll(() => world[Symbol.asyncDispose]());

/** Longest time, in milliseconds, that a small call waited while the other was under way; and what that one brought. */
async function meanwhile(work: () => Promise<string>): Promise<{ waited: number; text: string }> {
  const state = { done: false };
  let waited = 0;
  const brought = work().finally(() => (state.done = true));
  while (!state.done) {
    const start = performance.now();
    await answerOf(await modernCall(ana, 'tools/call', { name: 'small' }, { id: 'small' }));
    waited = Math.max(waited, performance.now() - start);
  }
  return { waited, text: await brought };
}

function answering({ body, encoding }: Answer): () => Promise<string> {
  const headers = {
    'content-type': 'application/json',
    ...(encoding !== undefined && { 'content-encoding': encoding }),
  };
  return async () => {
    world.server.on('tools/call', (heard) => {
      if (heard.body.includes('"small"')) heard.result(toolText('small'));
      else heard.response.writeHead(200, headers).end(body);
    });
    return (await modernCall(ana, 'tools/call', { name: 'large' }, { id: 'large' })).text();
  };
}

const json = (result: string): string => `{"jsonrpc":"2.0","id":"large","result":${result}}`;
const content = (text: string): string => JSON.stringify(toolText(text));

/** Made before anybody waits for it: it is the proxy that is measured. */
interface Answer {
  readonly body: Buffer;
  readonly encoding?: string;
}
const plain = (result: string): Answer => ({ body: Buffer.from(json(result)) });

const REFUSED = /"error"|isError/;
const MASKED = /known-secret|isError/;
const NOT_UTF8 = ['{"jsonrpc":"2.0","id":"large","result":{"a":"', '"}}'] as const;

const zeros = (): string => json(content('0'.repeat(100_000_000)));
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const BAD: readonly [string, () => Answer, RegExp][] = [
  ['a string of 100 MB', () => plain(content('x'.repeat(100_000_000))), REFUSED],
  ['ten million keys', () => plain(keys(10_000_000)), REFUSED],
  ['three hundred thousand keys', () => plain(keys(300_000)), /"k299999":0|"error"|isError/],
  ['a million keys', () => plain(keys(1_000_000)), /"k999999":0|"error"|isError/],
  ['a million keys, the last one twice', () => plain(keys(1_000_000).replace(/}}$/, ',"k0":1}}')), REFUSED],
  ['ten thousand brackets', () => plain(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`), REFUSED],
  [
    'bytes that are not UTF-8',
    () => ({
      body: Buffer.concat([Buffer.from(NOT_UTF8[0]), Buffer.of(0xff, 0xfe), Buffer.from(NOT_UTF8[1])]),
    }),
    REFUSED,
  ],
  [
    'half a character',
    () => plain(`{"resultType":"complete","content":[{"type":"text","text":"\\ud800 ${SECRET} \\udc00"}]}`),
    /known-secret|"error"|isError/,
  ],
  ['ten thousand braces', () => plain(`${'{"a":'.repeat(10_000)}"${SECRET}"${'}'.repeat(10_000)}`), REFUSED],
  [
    'ten thousand brackets of JSON in a string',
    () => plain(content(`${'['.repeat(10_000)}"${SECRET}"${']'.repeat(10_000)}`)),
    MASKED,
  ],
  ['JSON in a string of JSON in a string, and so on', () => plain(content(quoted(16))), MASKED],
  ['a bomb of gzip', () => ({ body: gzipSync(zeros()), encoding: 'gzip' }), REFUSED],
  ['a bomb of deflate', () => ({ body: deflateSync(zeros()), encoding: 'deflate' }), REFUSED],
  ['a bomb of brotli', () => ({ body: brotliCompressSync(zeros(), QUICK), encoding: 'br' }), REFUSED],
  ['many views of one text', () => plain(content(`a\u200b%61\\u0041 ${SECRET} `.repeat(10_000))), MASKED],
  ['base64 of base64', () => plain(content(`${nested(3)} `.repeat(10))), MASKED],
  [
    'half a megabyte of words that announce secrets',
    () => plain(content(`password token=secret: ${SECRET} `.repeat(8_000))),
    MASKED,
  ],
];

function keys(count: number): string {
  const parts: string[] = [];
  for (let at = 0; at < count; at += 1) parts.push(`"k${at}":0`);
  return `{"structuredContent":{${parts.join(',')}}}`;
}

/** Each level writes the quotes and strokes of the one inside with strokes more. */
function quoted(times: number): string {
  let text = SECRET;
  for (let time = 0; time < times; time += 1) text = JSON.stringify({ a: text });
  return text;
}

function nested(times: number): string {
  let text = SECRET;
  for (let time = 0; time < times; time += 1) text = Buffer.from(`${text} and`).toString('base64');
  return text;
}

test('bad answers are refused or masked, and hold nobody up', { timeout: 300_000 }, async () => {
  // What the machine takes, now, for an ordinary answer of a few megabytes and everything around it.
  const rows = Array.from({ length: 60_000 }, (_, id) => ({ id, note: 'two boxes, one of them fragile' }));
  const usual = await meanwhile(answering(plain(content(JSON.stringify({ rows })))));
  const stalls: [string, number][] = [];
  for (const [title, make, expected] of BAD) {
    const { waited, text } = await meanwhile(answering(make()));
    expect([title, text.includes(SECRET)]).toEqual([title, false]);
    expect([title, expected.test(text)]).toEqual([title, true]);
    stalls.push([title, waited]);
  }
  console.table(stalls.map(([answer, waited]) => ({ answer, 'ms that others waited': Math.round(waited) })));
  const bound = 20 * usual.waited + 2_000;
  expect(stalls.filter(([, waited]) => waited > bound)).toEqual([]);
});
