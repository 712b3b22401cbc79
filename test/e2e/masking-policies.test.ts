/** What each kind of masking policy does on the way through the proxy, and that `gatehouse try` shows the same. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { runTry } from '../../cli/try.ts';
import { openSession, type HandSession } from '../fixtures/hand-client.ts';
import { edit, startWorld, type World } from './world.ts';

const CARD = '4111 1111 1111 ' + '1111';
const EMAIL = 'ada@' + 'example.org';
const TOKEN = `dop_v1_${randomBytes(32).toString('hex')}`;
const CARDS = [{ preset: 'PaymentCards' }];
const CARD_MASK = '[REDACTED:payment-card]';

const text = (value: string): object => ({ content: [{ type: 'text', text: value }] });
const structured = (value: object): object => ({ content: [], structuredContent: value });

interface Case {
  readonly title: string;
  readonly policies: readonly object[];
  readonly tool?: string;
  readonly args?: object;
  readonly result: object;
  /** What the client gets; a sentence where the result is withheld. */
  readonly gets: object | string;
  /** What the server gets; undefined where nothing is changed, a sentence where nothing is forwarded. */
  readonly heard?: object | string;
  readonly audited?: number;
}

/** Hashes are of the installation's key. */
const HASHED = '[HASH:payment-card:…]';

const CASES: readonly Case[] = [
  {
    title: 'keys, at any depth, whatever case and separators',
    policies: [{ fields: [{ keys: ['api_key'] }] }],
    result: structured({ a: [{ 'API-KEY': 'x', deep: { apiKey: 1 } }], apikeys: 'y' }),
    gets: structured({
      a: [{ 'API-KEY': '[REDACTED:key:api_key]', deep: { apiKey: '[REDACTED:key:api_key]' } }],
      apikeys: 'y',
    }),
  },
  {
    title: 'JSONPath, in the structure and in JSON in a text',
    policies: [{ fields: [{ jsonPath: '$.rows[?@.kind == "p"].ssn' }] }],
    result: {
      ...text('{"rows":[{"kind":"p","ssn":"078"}]}'),
      structuredContent: {
        rows: [
          { kind: 'p', ssn: '078' },
          { kind: 'q', ssn: '079' },
        ],
      },
    },
    gets: {
      ...text('{"rows":[{"kind":"p","ssn":"[REDACTED:path:$.rows[?@.kind == \\"p\\"].ssn]"}]}'),
      structuredContent: {
        rows: [
          { kind: 'p', ssn: '[REDACTED:path:$.rows[?@.kind == "p"].ssn]' },
          { kind: 'q', ssn: '079' },
        ],
      },
    },
  },
  {
    title: 'a pattern of its own',
    policies: [{ detectors: [{ name: 'employee', pattern: 'E-[0-9]{6}' }] }],
    result: text('by E-123456, not E-12345'),
    gets: text('by [REDACTED:employee], not E-12345'),
  },
  {
    title: "vendors' tokens and personal data",
    policies: [{ detectors: [{ preset: 'Credentials' }, { preset: 'PersonalData' }] }],
    result: text(`${TOKEN} of ${EMAIL}`),
    gets: text('[REDACTED:digitalocean-token] of [REDACTED:email]'),
  },
  {
    title: 'a column of CSV',
    policies: [{ fields: [{ columns: ['ssn'] }] }],
    result: text('id,SSN\n1,078\n'),
    gets: text('id,SSN\n1,[REDACTED:column:ssn]\n'),
  },
  {
    title: 'a column of Markdown',
    policies: [{ fields: [{ columns: ['ssn'] }] }],
    result: text('| id | ssn |\n| - | - |\n| 1 | 078 |'),
    gets: text('| id | ssn |\n| - | - |\n| 1 | [REDACTED:column:ssn] |'),
  },
  {
    title: 'a column of an SQL result',
    policies: [{ fields: [{ columns: ['ssn'] }] }],
    result: structured({
      columns: ['id', 'ssn'],
      rows: [
        [1, '078'],
        [2, null],
      ],
    }),
    gets: structured({
      columns: ['id', 'ssn'],
      rows: [
        [1, '[REDACTED:column:ssn]'],
        [2, null],
      ],
    }),
  },
  {
    title: 'exclusion by path',
    policies: [{ detectors: CARDS, exclude: [{ jsonPath: '$.kept' }] }],
    result: structured({ kept: CARD, card: CARD }),
    gets: structured({ kept: CARD, card: CARD_MASK }),
  },
  {
    title: 'exclusion by tool',
    policies: [{ detectors: CARDS, exclude: [{ tools: ['show_*'] }] }],
    tool: 'show_card',
    result: text(CARD),
    gets: text(CARD),
  },
  {
    title: 'exclusion by detector',
    policies: [{ detectors: [...CARDS, { preset: 'PersonalData' }], exclude: [{ detectors: ['email'] }] }],
    result: text(`${CARD} ${EMAIL}`),
    gets: text(`${CARD_MASK} ${EMAIL}`),
  },
  {
    title: 'Partial',
    policies: [{ detectors: CARDS, action: 'Partial' }],
    result: text(CARD),
    gets: text('[PARTIAL:payment-card:1111]'),
  },
  { title: 'Hash', policies: [{ detectors: CARDS, action: 'Hash' }], result: text(CARD), gets: text(HASHED) },
  {
    title: 'Block',
    policies: [{ detectors: CARDS, action: 'Block' }],
    result: text(CARD),
    gets: 'The result was withheld: ',
  },
  {
    title: 'the stronger action wins: Redact over Hash over Partial',
    policies: [
      { detectors: CARDS, action: 'Partial' },
      { detectors: CARDS, action: 'Redact' },
      { detectors: CARDS, action: 'Hash' },
    ],
    result: text(CARD),
    gets: text(CARD_MASK),
  },
  {
    title: 'the stronger action wins: Block over all',
    policies: [{ detectors: CARDS }, { detectors: CARDS, action: 'Block' }],
    result: text(CARD),
    gets: 'The result was withheld: ',
  },
  {
    title: 'an exclusion weakens its own policy alone',
    policies: [
      { detectors: CARDS, exclude: [{ jsonPath: '$.card' }] },
      { detectors: CARDS, action: 'Hash' },
    ],
    result: structured({ card: CARD }),
    gets: structured({ card: HASHED }),
  },
  {
    title: 'a detector gives the name before a key does',
    policies: [{ detectors: CARDS, fields: [{ keys: ['card'] }] }],
    result: structured({ card: CARD }),
    gets: structured({ card: CARD_MASK }),
  },
  {
    title: 'Audit only counts',
    policies: [{ detectors: CARDS, action: 'Block', mode: 'Audit' }],
    result: text(CARD),
    gets: text(CARD),
    audited: 1,
  },
  {
    title: 'Request: arguments, and no result',
    policies: [{ detectors: CARDS, direction: 'Request' }],
    args: { note: `pay ${CARD}` },
    result: text(CARD),
    gets: text(CARD),
    heard: { note: `pay ${CARD_MASK}` },
  },
  {
    title: 'Response, which is the default: no arguments',
    policies: [{ detectors: CARDS }],
    args: { note: CARD },
    result: text(CARD),
    gets: text(CARD_MASK),
  },
  {
    title: 'Both, by key',
    policies: [{ fields: [{ keys: ['pin'] }], direction: 'Both' }],
    args: { pin: 1234 },
    result: structured({ pin: 1234 }),
    gets: structured({ pin: '[REDACTED:key:pin]' }),
    heard: { pin: '[REDACTED:key:pin]' },
  },
  {
    title: 'Request with Block',
    policies: [{ detectors: CARDS, direction: 'Request', action: 'Block' }],
    args: { note: CARD },
    result: text('never asked'),
    gets: 'The call was not forwarded: ',
    heard: 'nothing',
  },
];

let world: World;
let session: HandSession;
let person: string;
beforeAll(async () => {
  world = await startWorld();
  session = await openSession(await world.as('ana'));
  person = join(world.gatehouse.directory, 'ana.json.txt');
  await writeFile(person, JSON.stringify({ subject: 'ana', groups: [] }));
});
afterAll(() => world[Symbol.asyncDispose]());

/** Puts exactly these masking policies in force. */
async function apply(name: string, policies: readonly object[]): Promise<void> {
  await edit(world, (manifests) => {
    const others = parseAllDocuments(manifests)
      .map((document) => z.unknown().parse(document.toJS()))
      .filter((object) => z.looseObject({ kind: z.string() }).parse(object).kind !== 'MaskingPolicy');
    const added = policies.map((spec, at) => ({
      apiVersion: 'gatehouse.dev/v1alpha1',
      kind: 'MaskingPolicy',
      metadata: { name: `${name}-${at}` },
      spec: { targetRefs: [{ kind: 'McpGateway', name: 'main' }], ...spec },
    }));
    return [...others, ...added].map((object) => stringify(object)).join('---\n');
  });
}

const verdict = z.looseObject({
  message: z.looseObject({ params: z.looseObject({ arguments: z.unknown() }) }).optional(),
  result: z.unknown(),
  masked: z.array(z.object({ path: z.string(), detector: z.string() })),
  audited: z.array(z.unknown()).optional(),
});

async function tried(line: object): Promise<z.infer<typeof verdict>> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stdin = Readable.from([Buffer.from(`${JSON.stringify(line)}\n`)]);
  const stop = new AbortController().signal;
  await runTry(['-f', world.gatehouse.directory, '--identity', person], { stdin, stdout, stderr, stop });
  const out = String(stdout.read() ?? '');
  if (out === '') throw new Error(String(stderr.read()));
  return verdict.parse(JSON.parse(out));
}

const withoutHashes = (value: unknown): unknown =>
  z
    .unknown()
    .parse(
      JSON.parse(JSON.stringify(value ?? null).replaceAll(/\[HASH:([a-z-]+):[0-9a-f]+\]/g, '[HASH:$1:…]')),
    );

test.for(CASES)('$title', async ({ policies, tool = 'any', args = {}, result, gets, heard, audited = 0 }) => {
  await apply(`case-${CASES.findIndex((one) => one.policies === policies)}`, policies);
  world.server.on('tools/call', ({ result: answer }) => answer(result));
  const before = world.server.heard.length;
  const params = { name: tool, arguments: args };
  const answer: unknown = await (await session.request('tools/call', params)).json();
  const [arrived] = world.server.heard.slice(before);

  if (typeof gets === 'string') expect(JSON.stringify(answer)).toMatch(new RegExp(`"${gets}[^"]*[^."]\\."`));
  else expect(withoutHashes(answer)).toEqual({ jsonrpc: '2.0', id: 1, result: gets });
  if (heard === 'nothing') expect(arrived).toBeUndefined();
  else expect(arrived?.message.params?.['arguments']).toEqual(heard ?? args);

  const shown = await tried({
    message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
    result: { jsonrpc: '2.0', id: 1, result },
  });
  expect(withoutHashes(shown.result)).toEqual(withoutHashes(answer));
  if (arrived !== undefined)
    expect(shown.message?.params.arguments).toEqual(arrived.message.params?.['arguments']);
  expect(shown.audited ?? []).toHaveLength(audited);
  const changed = JSON.stringify([gets, heard ?? args]) !== JSON.stringify([result, args]);
  expect(shown.masked.length > 0).toBe(changed);
  expect(JSON.stringify(shown.masked)).not.toContain(CARD);
});
