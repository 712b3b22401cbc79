import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Io } from './io.ts';
import { runTools } from './tools.ts';
import { runTry } from './try.ts';

const GATEWAY = `
apiVersion: gatehouse.dev/v1alpha1
kind: McpGateway
metadata: { name: orders, namespace: tools }
spec:
  server: { url: "http://127.0.0.1:1/mcp" }
  publicUrl: https://orders.example/mcp
  identity:
    - name: staff
      oidc: { issuer: "https://issuer.example", audiences: ["https://orders.example/mcp"], groupsClaim: groups }
  access:
    - groups: [support]
      tools: [query, "get_*"]
      resources: ["file:///docs/*"]
`;

const POLICIES = `
apiVersion: gatehouse.dev/v1alpha1
kind: MaskingPolicy
metadata: { name: cards, namespace: tools }
spec:
  targetRefs: [{ kind: McpGateway, name: orders }]
  direction: Both
  detectors: [{ preset: PaymentCards }]
  exclude: [{ tools: [get_card] }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: ApprovalRule
metadata: { name: ask, namespace: tools }
spec:
  targetRefs: [{ kind: McpGateway, name: orders }]
  match: { tools: [query], sql: { dialect: PostgreSQL, argument: sql, statements: [Delete] } }
  effect: RequireApproval
  approvers: { groups: [dba] }
---
apiVersion: gatehouse.dev/v1alpha1
kind: ApprovalRule
metadata: { name: never, namespace: tools }
spec:
  targetRefs: [{ kind: McpGateway, name: orders }]
  match: { tools: [query], sql: { dialect: PostgreSQL, argument: sql, statements: [DDL] } }
  effect: Deny
`;

const CARD = '4111 1111 1111 1111';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-try-'));
  await put('gateway.yaml', GATEWAY);
  await put('policies.yaml', POLICIES);
  await put('.alice.json', JSON.stringify({ subject: 'u-1', groups: ['support'] }));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function put(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

interface Ran {
  readonly code: number;
  readonly lines: string[];
  readonly stderr: string;
}

function collector(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

async function run(input: string | Uint8Array, args: readonly string[] = []): Promise<Ran> {
  const stdout = collector();
  const stderr = collector();
  const io: Io = {
    stdin: Readable.from([Buffer.from(input)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    stop: new AbortController().signal,
  };
  const code = await runTry(['-f', directory, ...args], io);
  return { code, lines: stdout.text().split('\n').slice(0, -1), stderr: stderr.text() };
}

const asAlice = (...args: string[]): string[] => ['--identity', join(directory, '.alice.json'), ...args];
const call = (name: string, args: unknown = {}): object => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
});
const result = (text: string): object => ({
  jsonrpc: '2.0',
  id: 1,
  result: { content: [{ type: 'text', text }] },
});

async function verdict(line: object, args = asAlice()): Promise<unknown> {
  const { code, lines } = await run(`${JSON.stringify(line)}\n`, args);
  expect(code).toBe(0);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '');
}

describe('gatehouse try', () => {
  it('allows what access grants and no rule matches, and forwards it as it is', async () => {
    expect(
      await verdict({ id: 'a', message: call('query', { sql: 'SELECT 1' }), result: result('1') }),
    ).toEqual({
      id: 'a',
      decision: 'allow',
      rule: null,
      reason: 'No rule denies this call or asks for approval of it.',
      risk: 0,
      message: call('query', { sql: 'SELECT 1' }),
      result: result('1'),
      masked: [],
    });
  });

  it('keeps every byte of what is not masked', async () => {
    const message =
      '{ "jsonrpc":"2.0", "id":1, "method":"tools/call", "params":{"name":"query","arguments":{"sql":"SELECT 1","n":9007199254740993,"f":1.50,"s":"\\u0041\\/"}} }';
    const answer = `{"jsonrpc":"2.0","id":1,"result":{"n":9007199254740993,"e":1E400,"content":[{"type":"text","text":"${CARD}"}]}}`;
    const { lines } = await run(
      `{"id":12345678901234567890,"message":${message},"result":${answer}}\n`,
      asAlice(),
    );
    expect(lines[0]).toContain('{"id":12345678901234567890,"decision":"allow"');
    expect(lines[0]).toContain(`"message":${message},`);
    expect(lines[0]).toContain(`"result":${answer.replace(CARD, '[REDACTED:payment-card]')},`);
    expect(lines[0]).toContain('"masked":[{"path":"$.result.content[0].text","detector":"payment-card"}]');
  });

  it('denies by rule, and says what the client gets instead of the result', async () => {
    expect(
      await verdict({ message: call('query', { sql: 'DROP TABLE t' }), result: result('dropped') }),
    ).toMatchObject({
      id: null,
      decision: 'deny',
      rule: 'tools/never',
      result: { id: 1, result: { isError: true } },
    });
  });

  it('holds by rule: nothing is forwarded yet', async () => {
    const held = await verdict({
      message: call('query', { sql: 'DELETE FROM t' }),
      result: result('deleted'),
    });
    expect(held).toMatchObject({
      decision: 'hold',
      rule: 'tools/ask',
      result: { result: { isError: true } },
    });
    expect(held).not.toHaveProperty('message');
    expect(JSON.stringify(held)).not.toContain('deleted');
  });

  it('denies what access does not grant, as if it did not exist', async () => {
    expect(await verdict({ message: call('drop_all') })).toMatchObject({
      decision: 'deny',
      rule: null,
      reason: 'Unknown tool: drop_all',
      result: { id: 1, error: { code: -32602 } },
    });
  });

  it('speaks the revision of the message', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const message = {
      jsonrpc: '2.0',
      id: 1,
      method: 'resources/read',
      params: { uri: 'file:///etc', _meta },
    };
    expect(await verdict({ message })).toMatchObject({ result: { error: { code: -32602 } } });
    expect(await verdict({ message: { ...message, params: { uri: 'file:///etc' } } })).toMatchObject({
      result: { error: { code: -32002 } },
    });
  });

  it('filters lists as the caller would see them', async () => {
    const list = (...names: string[]): object => ({
      jsonrpc: '2.0',
      id: 1,
      result: { tools: names.map((name) => ({ name })) },
    });
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect(await verdict({ message, result: list('query', 'drop', 'get_x') })).toMatchObject({
      result: list('query', 'get_x'),
    });
  });

  it('masks arguments where the policy says so, and minds exclusions by tool', async () => {
    expect(await verdict({ message: call('get_x', { note: CARD }) })).toMatchObject({
      message: call('get_x', { note: '[REDACTED:payment-card]' }),
      masked: [{ path: '$.params.arguments.note', detector: 'payment-card' }],
    });
    expect(await verdict({ message: call('get_card'), result: result(CARD) })).toMatchObject({
      result: result(CARD),
    });
  });

  it('releases a result that comes alone, without exclusions by tool', async () => {
    const released = await verdict({ id: 7, result: result(CARD) }, []);
    expect(released).toMatchObject({ id: 7, decision: 'allow', result: result('[REDACTED:payment-card]') });
    expect(released).not.toHaveProperty('message');
  });

  it('masks the secrets that the proxy would hold', async () => {
    const value = ['held', 'by', 'the', 'proxy'].join('-');
    const secrets = await put('.secrets.json', JSON.stringify({ backend: value }));
    const line = {
      message: call('get_card'),
      result: result(`${value} ${Buffer.from(value).toString('base64')}`),
    };
    const released = JSON.stringify(await verdict(line, asAlice('--secrets', secrets)));
    expect(released).not.toContain(value);
    expect(released).not.toContain(Buffer.from(value).toString('base64'));
    expect(released).toContain('known-secret');
  });

  it('refuses anonymous callers unless the gateway allows them', async () => {
    expect(await verdict({ message: call('query') }, [])).toMatchObject({
      decision: 'deny',
      rule: null,
      result: { error: { code: 4401 } },
    });
    const open = GATEWAY.replace(
      '  access:\n',
      '    - { name: anyone, anonymous: {} }\n  access:\n    - { anonymous: true, tools: [get_y] }\n',
    );
    await put('gateway.yaml', open);
    expect(await verdict({ message: call('get_y') }, [])).toMatchObject({ decision: 'allow' });
    expect(await verdict({ message: call('get_x') }, [])).toMatchObject({ decision: 'deny' });
  });

  it('gives notifications no result', async () => {
    const message = { jsonrpc: '2.0', method: 'vendor/notice' };
    const refused = await verdict({ message });
    expect(refused).toMatchObject({ decision: 'deny' });
    expect(refused).not.toHaveProperty('result');
    expect(await verdict({ message: { jsonrpc: '2.0', method: 'notifications/initialized' } })).toMatchObject(
      {
        decision: 'allow',
      },
    );
  });

  it('puts an error in the place of a line that cannot be read, and judges the rest', async () => {
    const good = JSON.stringify({ id: 'good', result: result('x') });
    const bad = [
      'not JSON',
      '',
      '[]',
      '{}',
      '{"message":"x"}',
      '{"message":{"jsonrpc":"2.0"}}',
      '{"message":{"jsonrpc":"2.0","id":1,"method":"ping","id":2}}',
      '{"message":[{"jsonrpc":"2.0","id":1,"method":"ping"}]}',
      '['.repeat(100_000),
    ];
    const input = Buffer.concat([
      Buffer.from([good, ...bad, ''].join('\n')),
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]),
      Buffer.from(`${good}\r\n${good}`),
    ]);
    const { code, lines } = await run(input, asAlice());
    expect(code).toBe(2);
    expect(lines).toHaveLength(1 + bad.length + 1 + 2);
    const kinds = lines.map((line) => (line.startsWith('{"error":"Line ') ? 'error' : 'verdict'));
    expect(kinds).toEqual(['verdict', ...bad.map(() => 'error'), 'error', 'verdict', 'verdict']);
  });

  it('answers each line as it comes', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const stop = new AbortController();
    const io: Io = { stdin, stdout, stderr: collector().stream, stop: stop.signal };
    const ended = runTry(['-f', directory, ...asAlice()], io);
    const answers = stdout[Symbol.asyncIterator]();
    for (const id of [1, 2]) {
      stdin.write(`${JSON.stringify({ id, result: result('x') })}\n`);
      const answer: unknown = (await answers.next()).value;
      expect(String(answer)).toMatch(new RegExp(`^\\{"id":${id},`));
    }
    stop.abort();
    expect(await ended).toBe(2);
  });

  it('says what is wrong with manifests, and judges nothing', async () => {
    await put('gateway.yaml', GATEWAY.replace('tools: [query', 'tolls: [query'));
    const { code, lines, stderr } = await run(JSON.stringify({ result: result('x') }));
    expect({ code, lines }).toEqual({ code: 2, lines: [] });
    expect(stderr).toMatch(/^gateway\.yaml, document 1: spec\.access\[0\].*tolls/m);
  });

  it('names a directory that is not there', async () => {
    await rm(directory, { recursive: true });
    const { code, stderr } = await run('');
    expect(code).toBe(2);
    expect(stderr).toContain(`${directory} cannot be read`);
  });

  it('wants to know which gateway where there are several', async () => {
    await put('second.yaml', GATEWAY.replace('name: orders', 'name: second'));
    const line = JSON.stringify({ result: result('x') });
    expect(await run(line)).toMatchObject({
      code: 2,
      stderr: 'Say with --gateway which one is meant: tools/orders, tools/second.\n',
    });
    expect(await run(line, ['--gateway', 'second'])).toMatchObject({ code: 0 });
    expect(await run(line, ['--gateway', 'tools/orders'])).toMatchObject({ code: 0 });
    expect((await run(line, ['--gateway', 'third'])).stderr).toMatch(/There is no McpGateway third/);
  });

  it.each([
    ['--identity', '{"groups":["support"]}', /must have a subject/],
    ['--identity', '{"subject":"a","group":["support"]}', /group/],
    ['--secrets', '{"backend":{"key":"hunter2"}}', /backend/],
    ['--secrets', 'hunter2', /not JSON/],
  ])('says what is wrong with a file given to %s: %s', async (option, content, sentence) => {
    const { code, stderr } = await run('', [option, await put('.given.json', content)]);
    expect(code).toBe(2);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('hunter2');
  });

  it('says when a file is not there', async () => {
    const { code, stderr } = await run('', ['--identity', join(directory, 'none.json')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot be read \(ENOENT\)/);
  });

  it('refuses options that it does not know, and a time that is none', async () => {
    await expect(run('', ['--colour'])).rejects.toThrow(/--colour/);
    await expect(run('', ['--at', 'soon'])).rejects.toThrow(/--at is not a time/);
  });
});

const verdicts = async (...lines: object[]): Promise<Record<string, unknown>[]> => {
  const { lines: said } = await run(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), asAlice());
  return said.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
};

describe('what a server says of itself', () => {
  const tool = (description: string): object => ({ name: 'query', description, inputSchema: {} });
  const listing = (description: string): object => ({
    message: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    result: { jsonrpc: '2.0', id: 1, result: { tools: [tool(description)] } },
  });
  const called = { message: call('query', { sql: 'SELECT 1' }) };

  it('pins no tool by itself, since every run would be the first', async () => {
    const said = await verdicts(listing('a'), listing('b'), called);
    expect(said.map(({ decision }) => decision)).toEqual(['allow', 'allow', 'allow']);
    expect(JSON.stringify(said[1])).toContain('"description":"b"');
  });

  it('hides and denies a tool that is not as it is pinned', async () => {
    const stdout = collector();
    const stdin = Readable.from([Buffer.from(JSON.stringify([tool('a')]))]);
    const stop = new AbortController().signal;
    expect(await runTools([], { stdin, stdout: stdout.stream, stderr: stdout.stream, stop })).toBe(0);
    const pins = stdout.text().replaceAll(/^/gm, '    ');
    expect(pins).toMatch(/name: query\n +digest: sha256:[0-9a-f]{64}\n/);
    await put('gateway.yaml', `${GATEWAY}  tools:\n${pins}\n`);
    const said = await verdicts(listing('a'), called, listing('b'), called);
    expect(said.map(({ decision }) => decision)).toEqual(['allow', 'allow', 'allow', 'deny']);
    expect(JSON.stringify(said[0])).toContain('"description":"a"');
    expect(JSON.stringify(said[2])).toContain('"tools":[]');
    expect(said[3]?.['reason']).toContain('has changed since it was accepted');
  });

  it('does not show what it may not ask, and does not tell it of what it could', async () => {
    const params = { protocolVersion: '2025-11-25', capabilities: { sampling: {}, roots: {} } };
    const said = await verdicts(
      { result: { jsonrpc: '2.0', id: 9, method: 'sampling/createMessage', params: {} } },
      { message: { jsonrpc: '2.0', id: 1, method: 'initialize', params } },
    );
    expect(said[0]?.['result']).toBeNull();
    expect(JSON.stringify(said[1]?.['message'])).toContain('"capabilities":{}');
  });
});

it('names every part of the risk, and what was parsed', async () => {
  const sql = 'DELETE FROM orders; UPDATE stock SET n = 0';
  const said = z
    .looseObject({
      risk: z.number(),
      parsed: z.object({
        classes: z.array(z.string()),
        targets: z.array(z.string()),
        risk: z.array(z.object({ reason: z.string(), points: z.number() })),
      }),
    })
    .parse(await verdict({ message: call('query', { sql }) }));
  expect(said.parsed).toEqual({
    classes: ['Delete', 'Update'],
    targets: ['orders', 'stock'],
    risk: [
      { reason: 'Delete', points: 45 },
      { reason: 'Update', points: 7 },
      { reason: 'Delete without a WHERE that chooses rows', points: 30 },
      { reason: 'Update without a WHERE that chooses rows', points: 30 },
      { reason: '2 statements', points: 5 },
    ],
  });
  expect(said.risk).toBe(100);
  expect(await verdict({ message: call('query', { sql: 'SELECT 1' }) })).not.toHaveProperty('parsed');
});
