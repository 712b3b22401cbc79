/** What the proxy holds, split over whatever a server can split it over. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { bearer, eventsOf, modernCall, openSession, type Way } from '../../fixtures/hand-client.ts';
import { portOf } from '../../fixtures/mcp/listen.ts';
import type { Heard, SentStream } from '../../fixtures/scripted-server.ts';
import { recordOf } from '../records.ts';
import { startWorld, type World } from '../world.ts';
import { answerTo, streamedCall } from './streamed-call.ts';

const SECRET = `zq-${randomBytes(16).toString('hex')}`;
/** With characters of several bytes, so that a chunk may end within one. */
const WIDE = `größe-${randomBytes(12).toString('hex')}-日本`;
const MASK = '[REDACTED:known-secret]';

const credential = {
  name: 'backend',
  source: { devFile: { path: 'backend.json' } },
  inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
};
const files = { 'backend.json': JSON.stringify({ key: SECRET, passphrase: WIDE }) };

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld({ spec: { credentials: [credential] }, files });
  ana = await world.as('ana');
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

const log = (data: unknown, logger = 'app'): object => ({
  method: 'notifications/message',
  params: { level: 'info', logger, data },
});

test('cut anywhere by chunks, within a character too, and over data lines', async () => {
  const { heard, stream, response } = await streamedCall(world, await openSession(ana));
  const message = JSON.stringify({ jsonrpc: '2.0', ...log(`it is ${WIDE}.`) }, null, 1);
  const event = Buffer.from(`id: 1\r\n${message.replaceAll(/^/gm, 'data: ')}\r\n\r\n`);
  for (const byte of event) {
    stream.raw(Buffer.of(byte));
    if (byte > 127) await new Promise((resolve) => setImmediate(resolve));
  }
  stream.send(answerTo(heard));
  const [first] = await eventsOf(response).rest();
  expect(first?.message?.params).toMatchObject({ data: `it is ${MASK}.` });
});

test.for(['legacy', 'modern'])('%s: cut over the events of one answer', async (era) => {
  const opened = Promise.withResolvers<{ heard: Heard; stream: SentStream }>();
  world.server.on('tools/call', (heard) => opened.resolve({ heard, stream: heard.stream() }));
  const response =
    era === 'modern'
      ? await modernCall(ana, 'tools/call', { name: 'slow' })
      : await (await openSession(ana)).request('tools/call', { name: 'slow' });
  const { heard, stream } = await opened.promise;
  const events = eventsOf(response);
  const shown: unknown[] = [];
  // Each event is with the client before the next is sent: a clean one waits for nothing.
  for (const data of [
    'one',
    `two ${SECRET.slice(0, 10)}`,
    SECRET.slice(10, 25),
    `${SECRET.slice(25)} three`,
    'four',
  ]) {
    stream.send(log(data));
    shown.push((await events.next())?.message?.params?.['data']);
  }
  expect(shown).toEqual(['one', `two ${MASK}`, MASK, `${MASK} three`, 'four']);
  stream.send(answerTo(heard));
  await events.rest();
  await expect.poll(async () => JSON.stringify(await recordOf(world.gatehouse))).toContain(`${MASK} three`);
  expect(JSON.stringify(await recordOf(world.gatehouse))).not.toContain(SECRET.slice(10, 25));
});

test('cut over progress, and over a stream that is taken up again', async () => {
  const session = await openSession(ana);
  const { heard, stream, response } = await streamedCall(world, session);
  const events = eventsOf(response);
  const progress = (message: string, at: number): object => ({
    method: 'notifications/progress',
    params: { progressToken: 5, progress: at, message },
  });
  stream.send(progress(`working ${SECRET.slice(0, 5)}`, 1), { id: 'server-1' });
  const first = await events.next();
  expect(first?.message?.params).toMatchObject({ message: `working ${SECRET.slice(0, 5)}` });
  const polled = world.server.arrival('GET');
  world.server.on('GET', (again) => {
    const more = again.stream();
    more.send(progress(SECRET.slice(5), 2), { id: 'server-2' });
    more.send(answerTo(heard), { id: 'server-3' });
    more.end();
  });
  stream.end();
  expect(await events.next()).toBeUndefined();
  const resumed = await session.get({ 'last-event-id': first?.id ?? '' });
  await polled;
  const [second] = await eventsOf(resumed).rest();
  expect(second?.message?.params).toMatchObject({ message: MASK });
});

test('cut over the stream of a GET', async () => {
  const opened = Promise.withResolvers<SentStream>();
  world.server.on('GET', (heard) => opened.resolve(heard.stream()));
  const session = await openSession(ana);
  const events = eventsOf(await session.get());
  const stream = await opened.promise;
  for (const data of [SECRET.slice(0, 12), SECRET.slice(12)]) {
    stream.send(log({ delta: { text: data } }));
    expect((await events.next())?.message?.params).toMatchObject({ data: { delta: { text: MASK } } });
  }
  await events.cancel();
});

test('cut over content blocks', async () => {
  const blocks = [`a ${SECRET.slice(0, 3)}`, SECRET.slice(3, 9), `${SECRET.slice(9)} b`];
  world.server.on('tools/call', (heard) =>
    heard.result({ content: blocks.map((text) => ({ type: 'text', text })) }),
  );
  const response = await (await openSession(ana)).request('tools/call', { name: 'any' });
  expect(JSON.stringify(await response.json())).toContain(
    JSON.stringify([`a ${MASK}`, MASK, `${MASK} b`].map((text) => ({ type: 'text', text }))),
  );
});

test('cut over the chunks of what passes through, and in its headers', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'x-echo': encodeURIComponent(WIDE) });
    const bytes = Buffer.from(`it is ${WIDE}.\n`);
    const write = (at: number): void => {
      if (at >= bytes.length) response.end();
      else response.write(bytes.subarray(at, at + 1), () => setImmediate(write, at + 1));
    };
    write(0);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using passing = await startWorld({
    spec: {
      server: { url: `http://127.0.0.1:${portOf(server)}/mcp`, passthrough: [{ path: '/report' }] },
      credentials: [credential],
    },
    files,
  });
  const { token } = await passing.as('ana');
  const response = await fetch(new URL('/report', passing.url), { headers: bearer(token) });
  expect(await response.text()).toBe(`it is ${MASK}.\n`);
  expect(response.headers.get('x-echo')).toBe(MASK);
  server.closeAllConnections();
  server.close();
});
