import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueAuthority, issueServerLeaf } from '../../lib/certificates.ts';
import { listen } from '../../lib/listen.ts';
import { createHttpsTransport, DeliveryFailed } from './https-transport.ts';
import type { RecordTransport } from './transport.ts';

let directory: string;
let server: Server;
let transport: RecordTransport;
let respond: RequestListener;
const requests: { path: string | undefined; authorization: string | undefined; body: string }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-transport-'));
  const validity = { now: Date.now(), days: 1 };
  const authority = issueAuthority('test authority', validity);
  server = createServer(issueServerLeaf(authority, ['127.0.0.1'], validity), (request, response) => {
    void note(request).then(() => {
      respond(request, response);
    });
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const files = { caFile: join(directory, 'ca.pem'), tokenFile: join(directory, 'token') };
  await writeFile(files.caFile, authority.cert);
  await writeFile(files.tokenFile, 'first\n');
  transport = createHttpsTransport({ url: `https://127.0.0.1:${port}`, ...files });
});

afterEach(async () => {
  await transport.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  await rm(directory, { recursive: true, force: true });
  requests.length = 0;
});

async function note(request: IncomingMessage): Promise<void> {
  requests.push({
    path: request.url,
    authorization: request.headers.authorization,
    body: await text(request),
  });
}

const send = () => transport.send('stream-1', Buffer.from('{}\n'), new AbortController().signal);

const answer = (status: number, body: unknown) => {
  respond = (_, response) =>
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
};

test('sends the lines to their stream, with the token as it is now', async () => {
  answer(200, { acknowledged: 4 });
  expect(await send()).toEqual({ kind: 'acknowledged', seq: 4 });
  await writeFile(join(directory, 'token'), 'another\n');
  await send();
  expect(requests).toEqual([
    { path: '/v1/streams/stream-1/records', authorization: 'Bearer first', body: '{}\n' },
    { path: '/v1/streams/stream-1/records', authorization: 'Bearer another', body: '{}\n' },
  ]);
});

test.each([
  [409, { code: 'out_of_sequence', message: 'on', expected: 3 }, { kind: 'out_of_sequence', expected: 3 }],
  [409, { code: 'chain_broken', message: 'no', expected: 3 }, { kind: 'chain_broken', message: 'no' }],
  [400, { code: 'line_invalid', message: 'bad' }, { kind: 'rejected', message: 'bad' }],
  [413, { code: 'too_large', message: 'big' }, { kind: 'rejected', message: 'big' }],
])('understands %i %o', async (status, body, expected) => {
  answer(status, body);
  expect(await send()).toEqual(expected);
});

test.each([
  [200, 'not JSON'],
  [200, { ok: true }],
  [400, 'an answer that is not the recorder’s'],
  [401, { code: 'unauthenticated', message: 'who?' }],
  [409, {}],
  [503, { code: 'store_unavailable', message: 'later' }],
  [200, 'x'.repeat(100_000)],
])('keeps the lines on %i %o', async (status, body) => {
  answer(status, body);
  await expect(send()).rejects.toThrow(DeliveryFailed);
});

test('keeps the lines when the recorder hangs up, and reaches it again', async () => {
  respond = (request) => request.socket.destroy();
  await expect(send()).rejects.toThrow();
  answer(200, { acknowledged: 0 });
  expect(await send()).toEqual({ kind: 'acknowledged', seq: 0 });
});

test('a delivery can be called off', async () => {
  const { promise: asked, resolve } = Promise.withResolvers<undefined>();
  respond = () => {
    resolve(undefined);
  };
  const controller = new AbortController();
  const sending = transport.send('stream-1', Buffer.from('{}\n'), controller.signal);
  await asked;
  controller.abort();
  await expect(sending).rejects.toThrow(/abort/i);
});

test('does not speak to a recorder that another authority vouches for', async () => {
  const other = issueAuthority('another authority', { now: Date.now(), days: 1 });
  await writeFile(join(directory, 'ca.pem'), other.cert);
  answer(200, { acknowledged: 0 });
  await expect(send()).rejects.toThrow(/certificate|signature/);
  expect(requests).toEqual([]);
});
