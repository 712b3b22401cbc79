/** What masking policies do, as gatehouse try shows it: the same engine and release that the proxy runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { runTry } from './try.ts';

const CARD = '4111 1111 1111 ' + '1111';
const EMAIL = 'ada@' + 'example.org';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-masking-'));
});
afterEach(() => rm(directory, { recursive: true }));

const GATEWAY = {
  kind: 'McpGateway',
  metadata: { name: 'main' },
  spec: {
    server: { url: 'http://127.0.0.1:1/mcp' },
    publicUrl: 'https://main.example/mcp',
    identity: [{ name: 'staff', oidc: { issuer: 'https://issuer.example' } }],
    access: [{ authenticated: true, tools: ['*'] }],
  },
};

const answer = z.looseObject({
  message: z.unknown().optional(),
  result: z.unknown().optional(),
  masked: z.array(z.object({ path: z.string(), detector: z.string() })),
  audited: z.array(z.object({ path: z.string(), detector: z.string() })).optional(),
});

/** What becomes of lines under policies, named p0, p1 and so on. */
async function tried(policies: readonly object[], ...lines: readonly object[]) {
  const objects = [
    GATEWAY,
    ...policies.map((spec, at) => ({
      kind: 'MaskingPolicy',
      metadata: { name: `p${at}` },
      spec: { targetRefs: [{ kind: 'McpGateway', name: 'main' }], ...spec },
    })),
  ];
  const apiVersion = 'gatehouse.dev/v1alpha1';
  const text = objects.map((object) => stringify({ apiVersion, ...object })).join('---\n');
  await writeFile(join(directory, 'manifests.yaml'), text);
  await writeFile(join(directory, 'ana.json.txt'), JSON.stringify({ subject: 'ana', groups: [] }));
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stdin = Readable.from([Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))]);
  const code = await runTry(['-f', directory, '--identity', join(directory, 'ana.json.txt')], {
    stdin,
    stdout,
    stderr,
    stop: new AbortController().signal,
  });
  const said = String(stderr.read() ?? '');
  const out = String(stdout.read() ?? '');
  return {
    code,
    said,
    answers: out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => answer.parse(JSON.parse(line))),
  };
}

const result = (value: object): object => ({ result: { jsonrpc: '2.0', id: 1, result: value } });
const call = (tool: string, args: object, value: object): object => ({
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args } },
  ...result(value),
});
const structured = (structuredContent: object): object => ({ structuredContent });
const text = (value: string): object => ({ content: [{ type: 'text', text: value }] });

async function released(policy: object, value: object): Promise<unknown> {
  const { answers } = await tried([policy], result(value));
  return z.object({ result: z.unknown().optional() }).parse(answers[0]?.result).result;
}

describe('fields', () => {
  it('by key, at any depth, without case and separators', async () => {
    const value = { a: [{ 'API-KEY': 'x', deep: { apiKey: 1, Api_Key: true, apikeys: 'y' } }] };
    const mask = '[REDACTED:key:api_key]';
    expect(await released({ fields: [{ keys: ['api_key'] }] }, structured(value))).toEqual(
      structured({ a: [{ 'API-KEY': mask, deep: { apiKey: mask, Api_Key: mask, apikeys: 'y' } }] }),
    );
  });

  it.each<[string, string, string]>([
    ['a name', '$.rows[*].ssn', 'ssn'],
    ['descent', '$..ssn', 'ssn'],
    ['a filter', '$.rows[?@.kind == "person"].ssn', 'ssn'],
    ['a slice and an index', '$.rows[0:2].pair[-1]', 'pair'],
    ['several names', "$.rows[*]['ssn','x']", 'ssn'],
  ])('by JSONPath with %s', async (_, jsonPath, member) => {
    const value = structured({ rows: [{ kind: 'person', ssn: '078', pair: ['a', '078'] }] });
    const shown = JSON.stringify(await released({ fields: [{ jsonPath }] }, value));
    expect(shown.match(/REDACTED/g)).toHaveLength(1);
    expect(shown).toContain(member === 'ssn' ? '"ssn":"[REDACTED' : '["a","[REDACTED');
  });

  it.each<[string, object]>([
    ['CSV', text('id,SSN\n1,secret-1\n')],
    ['quoted CSV', text('"id";"s s n"\n"1";"secret-1"\n')],
    ['Markdown', text('| id | ssn |\n| - | - |\n| 1 | secret-1 |')],
    [
      'a mysql table',
      text('+----+----------+\n| id | ssn      |\n+----+----------+\n| 1  | secret-1 |\n+----+----------+'),
    ],
    ['rows of objects', structured({ rows: [{ id: 1, ssn: 'secret-1' }] })],
    ['rows as a text', text(JSON.stringify([{ id: 1, ssn: 'secret-1' }]))],
    ['columns and rows', structured({ columns: ['id', 'ssn'], rows: [[1, 'secret-1']] })],
    ['fields and rows', structured({ fields: [{ name: 'id' }, { name: 'ssn' }], rows: [[1, 'secret-1']] })],
    ['columns and data', text(JSON.stringify({ columns: ['id', 'ssn'], data: [[1, 'secret-1']] }))],
  ])('by column, of %s', async (_, value) => {
    const shown = JSON.stringify(await released({ fields: [{ columns: ['ssn'] }] }, value));
    expect(shown).not.toContain('secret-1');
    expect(shown).toContain('[REDACTED:column:ssn]');
  });
});

describe('what wins', () => {
  const cards = { detectors: [{ preset: 'PaymentCards' }] };
  const actions = ['Partial', 'Hash', 'Redact'] as const;
  const shapes = {
    Partial: /\[PARTIAL:payment-card:1111\]/,
    Hash: /\[HASH:payment-card:[0-9a-f]{16}\]/,
    Redact: /\[REDACTED:payment-card\]/,
  };

  it('of policies is Block, then Redact, then Hash, then Partial, in whatever order they stand', async () => {
    for (const [at, action] of actions.entries()) {
      const policies = actions.slice(0, at + 1).map((one) => ({ ...cards, action: one }));
      for (const order of [policies, policies.toReversed()]) {
        const { answers } = await tried(order, result(text(CARD)));
        expect(JSON.stringify(answers[0]?.result)).toMatch(shapes[action]);
      }
    }
    const { answers } = await tried(
      [
        { ...cards, action: 'Redact' },
        { ...cards, action: 'Block' },
      ],
      result(text(CARD)),
    );
    expect(JSON.stringify(answers[0]?.result)).toMatch(/withheld.*default\/p1 blocks/);
    expect(answers[0]?.masked).toEqual([{ path: '$.result.content[0].text', detector: 'payment-card' }]);
  });

  it('of a detector and a field that see one value is the detector, by name', async () => {
    const { answers } = await tried(
      [{ ...cards, fields: [{ keys: ['card'] }] }],
      result(structured({ card: CARD, x: { card: 'y' } })),
    );
    expect(answers[0]?.masked).toEqual([
      { path: '$.result.structuredContent.card', detector: 'payment-card' },
      { path: '$.result.structuredContent.x.card', detector: 'key:card' },
    ]);
  });

  it('is not weakened by what another policy excludes', async () => {
    const people = { detectors: [{ preset: 'PersonalData' }] };
    const policies = [
      {
        ...people,
        exclude: [{ jsonPath: '$.rows[*].contact' }, { tools: ['open_*'] }, { detectors: ['phone'] }],
      },
    ];
    const value = structured({ rows: [{ contact: EMAIL, other: EMAIL, phone: '+49 30 901820' }] });
    const shown = async (...more: object[]) =>
      JSON.stringify((await tried([...policies, ...more], result(value))).answers[0]?.result);
    expect((await shown()).match(/REDACTED/g)).toHaveLength(1);
    expect((await shown(people)).match(/REDACTED/g)).toHaveLength(3);
    const open = await tried(policies, call('open_files', {}, value), call('query', {}, value));
    expect(open.answers.map(({ masked }) => masked.length)).toEqual([0, 1]);
  });
});

describe('direction and mode', () => {
  const policy = { detectors: [{ preset: 'PaymentCards' }] };
  it.each([
    ['Request', true, false],
    ['Response', false, true],
    ['Both', true, true],
  ] as const)('%s masks arguments: %s, results: %s', async (direction, onTheWay, back) => {
    const { answers } = await tried([{ ...policy, direction }], call('query', { a: CARD }, text(CARD)));
    expect(JSON.stringify(answers[0]?.message).includes('REDACTED')).toBe(onTheWay);
    expect(JSON.stringify(answers[0]?.result).includes('REDACTED')).toBe(back);
  });

  it('Audit masks nothing, and says what it would have masked', async () => {
    const { answers } = await tried(
      [{ ...policy, mode: 'Audit', action: 'Block' }],
      result(text(CARD)),
      result(text('x')),
    );
    expect(answers[0]).toMatchObject({
      result: { result: text(CARD) },
      masked: [],
      audited: [{ path: '$.result.content[0].text', detector: 'payment-card' }],
    });
    expect(answers[1]?.audited).toBeUndefined();
  });
});

it('a value split over lines of a stream is masked', async () => {
  const log = (data: string): object => ({
    result: { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } },
  });
  const token = `github_pat_${'aZ3kQ9'.repeat(14).slice(0, 82)}`;
  const { answers } = await tried(
    [{ detectors: [{ preset: 'Credentials' }] }],
    log(token.slice(0, 20)),
    log(token.slice(20)),
  );
  expect(JSON.stringify(answers)).not.toContain(token.slice(20));
});

describe('a policy that cannot be', () => {
  it.each<[string, object, RegExp]>([
    ['a pattern that looks ahead', { detectors: [{ name: 'x', pattern: '(?=a)b' }] }, /pattern .*RE2/],
    ['a pattern that refers back', { detectors: [{ name: 'x', pattern: '(a)\\1' }] }, /pattern .*RE2/],
    ['a pattern that matches nothing', { detectors: [{ name: 'x', pattern: 'a*' }] }, /empty/],
    ['a pattern that repeats too often', { detectors: [{ name: 'x', pattern: 'a{1001}' }] }, /pattern/],
    ['no JSONPath', { fields: [{ jsonPath: 'rows[' }] }, /jsonPath/],
    ['nothing to mask', {}, /masks nothing/],
    ['an unknown action', { detectors: [{ preset: 'PaymentCards' }], action: 'Blur' }, /action .*Redact/],
  ])('with %s is refused with a sentence', async (_, spec, sentence) => {
    const { code, said } = await tried([spec]);
    expect(code).toBe(2);
    expect(said).toMatch(sentence);
  });
});
