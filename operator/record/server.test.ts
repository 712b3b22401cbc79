import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { issueAuthority, issueServerLeaf } from '../../lib/certificates.ts';
import { listen } from '../../lib/listen.ts';
import { silentLogger } from '../../lib/log.ts';
import {
  type OpenedLog,
  openLog,
  responseEvent,
  type Scratch,
  scratch,
  TestStream,
} from '../../test/fixtures/record-store.ts';
import { createRecorderMetrics } from './metrics.ts';
import { createRecorderServer } from './server.ts';
import { writersFrom } from './writers.ts';

const TOKEN = ['a', 'token', 'of', 'this', 'test'].join('-');

let dir: Scratch;
let opened: OpenedLog;
let server: ReturnType<typeof createRecorderServer>;
let agent: Agent;
let url: string;

beforeAll(async () => {
  dir = await scratch();
  opened = await openLog(dir.path);
  const tokensFile = join(dir.path, 'tokens.json');
  await writeFile(
    tokensFile,
    JSON.stringify({ [createHash('sha256').update(TOKEN).digest('hex')]: { name: 'proxy' } }),
  );
  const validity = { now: Date.now(), days: 1 };
  const authority = issueAuthority('test authority', validity);
  server = createRecorderServer(issueServerLeaf(authority, ['127.0.0.1'], validity), {
    committer: opened.committer,
    findWriter: writersFrom(tokensFile),
    metrics: createRecorderMetrics(),
    log: silentLogger(),
  });
  agent = new Agent({ connect: { ca: authority.cert } });
  url = `https://127.0.0.1:${(await listen(server, { host: '127.0.0.1', port: 0 })).port}`;
});

afterAll(async () => {
  await agent.close();
  server.close();
  await opened.committer.close();
  await dir[Symbol.asyncDispose]();
});

interface Sent {
  readonly path?: string;
  readonly method?: 'POST' | 'GET';
  readonly token?: string;
}

async function send(
  body: Buffer | string,
  { path = '/v1/streams/s1/records', method = 'POST', token = TOKEN }: Sent = {},
) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await request(`${url}${path}`, {
    method,
    headers,
    dispatcher: agent,
    body: method === 'POST' ? body : null,
  });
  return { status: response.statusCode, body: await response.body.json() };
}

const lines = (stream: TestStream, ...events: object[]) =>
  `${stream
    .next(...events)
    .lines.map(({ bytes }) => bytes.toString('utf8'))
    .join('\n')}\n`;

test('acknowledges what is stored, and the same again', async () => {
  const body = lines(new TestStream('s1'), responseEvent(0), responseEvent(1));
  expect(await send(body)).toEqual({ status: 200, body: { acknowledged: 1 } });
  expect(await send(body)).toEqual({ status: 200, body: { acknowledged: 1 } });
  expect(opened.log.size).toBe(2);
});

test('says where a stream goes on, and that a chain is broken', async () => {
  const stream = new TestStream('s2');
  const path = '/v1/streams/s2/records';
  const first = lines(stream, responseEvent(0));
  const second = lines(stream, responseEvent(1));
  expect(await send(second, { path })).toMatchObject({
    status: 409,
    body: { code: 'out_of_sequence', expected: 0 },
  });
  await send(first, { path });
  const fork = lines(new TestStream('s2'), responseEvent(7));
  expect(await send(fork, { path })).toMatchObject({
    status: 409,
    body: { code: 'chain_broken', expected: 1 },
  });
  expect(await send(second, { path })).toMatchObject({ status: 200 });
});

test.each([
  ['nothing', '', 'The body holds no line.'],
  [
    'a line without its end',
    lines(new TestStream('s3'), responseEvent(0)).trimEnd(),
    /does not end with a newline/,
  ],
  ['what is no JSON', 'hello\n', /Line 1: it is not JSON/],
  ['a line of another stream', lines(new TestStream('s4'), responseEvent(0)), /Line 1 is of another stream/],
  ['one bad line among good ones', `${lines(new TestStream('s3'), responseEvent(0))}{}\n`, /Line 2: /],
])('stores nothing of a body with %s', async (_, body, message) => {
  const before = opened.log.size;
  const answer = await send(body, { path: '/v1/streams/s3/records' });
  expect(answer).toMatchObject({ status: 400, body: { code: 'line_invalid' } });
  expect(JSON.stringify(answer.body)).toMatch(message);
  expect(opened.log.size).toBe(before);
});

test('refuses a body that is too large, and answers', async () => {
  const answer = await send(Buffer.alloc(18 * 1024 * 1024, 'x'));
  expect(answer).toMatchObject({ status: 413, body: { code: 'too_large' } });
});

test.each([
  [404, { path: '/v1/streams/../records' }],
  [404, { path: `/v1/streams/${'s'.repeat(65)}/records` }],
  [405, { method: 'GET' as const }],
  [401, { token: 'unknown' }],
  [401, { token: 'two words' }],
])('answers %i to %o', async (status, sent) => {
  expect((await send('{}\n', sent)).status).toBe(status);
});
