import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { layout } from '../operator/record/layout.ts';
import { openLog, type Scratch, scratch, TestStream } from '../test/fixtures/record-store.ts';
import { UsageError } from './io.ts';
import { runSessions } from './sessions.ts';

const GATEWAY = 'tools/orders';
const alice = {
  provider: 'staff',
  issuer: 'https://login.example',
  subject: 'a1',
  username: 'alice',
  groups: ['support'],
};

const at = (ms: number) => new Date(Date.parse('2026-01-01T10:00:00.000Z') + ms).toISOString();
const about = (ms: number, session: string) => ({ time: at(ms), gateway: GATEWAY, session, caller: alice });

const asked = (ms: number, session: string, exchange: string, more: object = {}) => ({
  ...about(ms, session),
  type: 'request',
  exchange,
  method: 'tools/call',
  target: 'query',
  message: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'query' } }),
  decision: 'allow',
  reason: 'No rule matches.',
  risk: 0,
  ...more,
});

const answered = (
  ms: number,
  session: string,
  exchange: string,
  { text = 'a row', masked = [] as object[] } = {},
) => ({
  ...about(ms, session),
  type: 'response',
  exchange,
  message: JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } }),
  masked,
  durationMs: 12,
});

const refused = (ms: number, session: string, exchange: string, code: string) => ({
  ...about(ms, session),
  type: 'refusal',
  exchange,
  code,
  reason: 'It may not.',
  status: 200,
});

const FIRST = 'session-one-0001';
const SECOND = 'session-two-0002';
const card = { path: '$.result.content[0].text', detector: 'payment-card' };

let dir: Scratch;
let store: string;
let vkey: string;

beforeAll(async () => {
  dir = await scratch();
  const opened = await openLog(dir.path, { limits: { segmentBytes: 1500 } });
  const stream = new TestStream('stream-1');
  const events = [
    { ...about(0, FIRST), type: 'session.start', revision: '2025-11-25', transport: 'StreamableHTTP' },
    asked(10, FIRST, 'e1'),
    asked(11, SECOND, 'f1', { decision: 'hold', rule: 'tools/writes', risk: 80, reason: 'It deletes.' }),
    answered(30, FIRST, 'e1', { text: 'card [REDACTED:payment-card]', masked: [card] }),
    asked(40, FIRST, 'e2', { decision: 'deny', rule: 'tools/drops', risk: 95, reason: 'It drops a table.' }),
    refused(41, FIRST, 'e2', 'rule_denied'),
    refused(50, FIRST, 'e3', 'access_denied'),
    { ...about(60, SECOND), type: 'approval', exchange: 'f1', approval: 'ap-7', phase: 'Approved' },
    asked(70, SECOND, 'f1', {
      decision: 'hold',
      rule: 'tools/writes',
      approval: 'ap-7',
      credentials: ['orders-db'],
    }),
    answered(90, SECOND, 'f1', { text: 'a \u001b[31mred\u202e answer' }),
    {
      time: at(95),
      gateway: GATEWAY,
      type: 'refusal',
      exchange: 'g1',
      code: 'unauthenticated',
      reason: 'No token.',
      status: 401,
    },
    {
      time: at(1600),
      gateway: GATEWAY,
      session: FIRST,
      type: 'session.end',
      reason: 'the client deleted it',
    },
  ];
  for (const event of events) await opened.committer.commit(stream.next(event));
  await opened.committer.close();
  store = opened.store;
  vkey = opened.signer.verifier.vkey;
});

afterAll(async () => {
  await dir[Symbol.asyncDispose]();
});

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

async function run(...args: string[]) {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const code = await runSessions(args, { stdout, stderr });
  return { code, out: stdout.text, err: stderr.text };
}

test('list counts every call once, whatever became of it', async () => {
  const { code, out } = await run('list', '--store', store, '--output', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual([
    {
      session: FIRST,
      gateway: GATEWAY,
      caller: 'alice',
      started: at(0),
      ended: at(1600),
      last: at(1600),
      ...{ calls: 3, denied: 2, held: 0, failed: 0, masked: 1 },
    },
    {
      session: SECOND,
      gateway: GATEWAY,
      caller: 'alice',
      started: at(11),
      last: at(90),
      ...{ calls: 1, denied: 0, held: 1, failed: 0, masked: 0 },
    },
    {
      session: '-',
      gateway: GATEWAY,
      caller: '-',
      started: at(95),
      last: at(95),
      ...{ calls: 1, denied: 1, held: 0, failed: 0, masked: 0 },
    },
  ]);
  const table = (await run('list', '--store', store)).out.split('\n');
  expect(table[0]).toMatch(/^SESSION +GATEWAY +CALLER +STARTED +ENDED +CALLS +DENIED +HELD +MASKED$/);
  expect(table[2]).toMatch(/^session-two-0002 +tools\/orders +alice +\S+ +open +1 +0 +1 +0$/);
});

test('show tells a session event by event, found by the beginning of its id', async () => {
  const { code, out } = await run('show', 'session-o', '--store', store);
  expect(code).toBe(0);
  const lines = out.split('\n');
  expect(lines[0]).toContain(`Session ${FIRST} of alice with ${GATEWAY}`);
  expect(lines.slice(2, -1).map((line) => line.slice(26))).toEqual([
    'session.start  session begins (StreamableHTTP, 2025-11-25)',
    'request        tools/call query · allow · risk 0 · No rule matches.',
    'response       answer after 12 ms, 1 masked',
    `               masked ${card.path} (payment-card)`,
    'request        tools/call query · deny by tools/drops · risk 95 · It drops a table.',
    'refusal        refused (rule_denied): It may not.',
    'refusal        refused (access_denied): It may not.',
    'session.end    session ends: the client deleted it',
  ]);
});

test('what belongs to no session is shown under "-"', async () => {
  expect((await run('show', '-', '--store', store)).out).toContain('refused (unauthenticated): No token.');
});

test('replay gives the conversation with its times, and nothing that steers a terminal', async () => {
  const { out } = await run('replay', SECOND, '--store', store);
  expect(out).toContain('+0.000s  alice → server  tools/call query · hold by tools/writes · risk 80');
  expect(out).toContain('approval ap-7 · with orders-db');
  expect(out).toContain('+0.079s  server → alice  answer after 12 ms');
  expect(out).toContain('          "text": "a \\u001b[31mred\\u{202e} answer"');
  expect(out).not.toContain('\u001b');
});

test('replay with --speed takes its time', async () => {
  const began = performance.now();
  await run('replay', FIRST, '--store', store, '--speed', '10');
  // 1.6 s of session, ten times faster.
  expect(performance.now() - began).toBeGreaterThanOrEqual(150);
});

test('an exported session verifies with the file alone, and only as it is', async () => {
  const { code, out } = await run('export', FIRST, '--store', store);
  expect(code).toBe(0);
  const file = join(dir.path, 'session.jsonl');
  await writeFile(file, out);
  expect(await run('verify', '--export', file, '--key', vkey)).toEqual({
    code: 0,
    out: `verified 7 records in 1 streams, checkpoint size 12, key ${vkey}\n`,
    err: '',
  });

  const lines = out.trimEnd().split('\n');
  const [, first = '', second = '', third = ''] = lines;
  const changes: [RegExp, string[]][] = [
    [
      /line 3, .*its hash does not fit/,
      lines.with(2, second.replace('"decision":"allow"', '"decision":"deny"')),
    ],
    [/line 2, .*does not lead to the root/, lines.with(1, first.replace('"index":0,', '"index":1,'))],
    [
      /line 4: .*the form of an exported record/,
      lines.with(3, third.replace('"proof":["', '"proof":["AAAA')),
    ],
    [/line 4, .*out of order/, lines.with(2, third).with(3, second)],
    [/line 1: .*not the header/, lines.slice(1)],
  ];
  for (const [fault, changed] of changes) {
    await writeFile(file, `${changed.join('\n')}\n`);
    const verified = await run('verify', '--export', file);
    expect(verified.code).toBe(1);
    expect(verified.err).toMatch(fault);
  }
});

test('verify says what it verified, and whose key it trusted', async () => {
  const { code, out, err } = await run('verify', '--store', store);
  expect({ code, out }).toEqual({
    code: 0,
    out: `verified 12 records in 1 streams, checkpoint size 12, key ${vkey}\n`,
  });
  expect(err).toContain('--key verifies against one that you trust');
  const keyFile = layout.key(store);
  expect(await run('verify', '--store', store, '--key', keyFile)).toMatchObject({ code: 0, err: '' });
});

test('a broken store fails to verify by name, and is still listed, with a warning', async () => {
  await using broken = await scratch();
  const opened = await openLog(broken.path);
  const stream = new TestStream('stream-1');
  await opened.committer.commit(
    stream.next(asked(0, FIRST, 'e1'), answered(1, FIRST, 'e1'), asked(2, FIRST, 'e2')),
  );
  await opened.committer.close();
  const path = layout.segment(opened.store, 1);
  const bytes = await readFile(path);
  bytes[bytes.indexOf('\n') + 400] = 0xff;
  await writeFile(path, bytes);

  const verified = await run('verify', '--store', opened.store, '--output', 'json');
  expect(verified.code).toBe(1);
  expect(verified.err).toMatch(
    /^first broken record: log\/00000001\.jsonl line 2, stream stream-1, seq 1, session session-one-0001: /,
  );
  expect(JSON.parse(verified.out)).toMatchObject({ verified: false, line: 2, seq: 1, session: FIRST });
  const listed = await run('list', '--store', opened.store);
  expect(listed.code).toBe(0);
  expect(listed.out).toContain(FIRST);
  expect(listed.err).toMatch(/^warning: 00000001\.jsonl line 2 cannot be read/);
  expect(await run('export', FIRST, '--store', opened.store)).toMatchObject({ code: 1, out: '' });
});

test.each([
  [[], /is no command/],
  [['list'], /--store is missing/],
  [['list', '--store', 's3://bucket/records'], /only directories are read in this version/],
  [['list', '--store', 'no/such/directory'], /is no store of records/],
  [['list', '--store', '.', '--output', 'xml'], /must be table or json/],
  [['show', '--store', '.'], /needs the id of a session/],
  [['verify', 'extra', '--store', '.'], /takes no id/],
  [['verify', '--store', '.', '--expect-size', 'many'], /must be a number above 0/],
  [['verify', '--store', '.', '--key', 'nonsense'], /neither a verifier key nor a file/],
])('%j is a wrong command line, said in a sentence', async (args, sentence) => {
  const error: unknown = await run(...args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toMatch(sentence);
});

test('an id that no session has, or that several have, is said so', async () => {
  await expect(run('show', 'nobody', '--store', store)).rejects.toThrow(/No session nobody is in the store/);
  await expect(run('show', 'session-', '--store', store)).rejects.toThrow(/stands for several sessions/);
});
