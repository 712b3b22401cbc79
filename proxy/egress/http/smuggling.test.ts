/** Requests of which two readers could see two different ends, and streams that are opened to be thrown away. */
import { constants } from 'node:http2';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  ask,
  ask2,
  openHttp2,
  openPlain,
  openTls,
  saysUntilClosed,
} from '../../../test/fixtures/egress-client.ts';
import { EgressWorld, freshPlaceholder } from '../../../test/fixtures/egress-world.ts';

const API = 'api.example.test';

let world: EgressWorld;
let reached: string[];
beforeEach(async () => {
  world = await EgressWorld.create();
  reached = [];
  await world.upstream([API], {
    onRequest: (request, response) => {
      reached.push(request.url ?? '');
      request.resume();
      request.once('end', () => response.end(API));
    },
    onStream: (stream, headers) => {
      reached.push(String(headers[':path']));
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200 });
      stream.end(API);
    },
  });
  await world.start({
    credentials: [
      {
        name: 'github',
        whenShared: 'Refuse',
        hosts: [{ host: API, port: 443 }],
        header: { name: 'Authorization', value: 'Bearer {{ token }}' },
        placeholder: freshPlaceholder(),
      },
    ],
  });
});
afterEach(() => world[Symbol.asyncDispose]());

const HIDDEN = `GET /smuggled HTTP/1.1\r\nHost: ${API}\r\n\r\n`;
/** What follows `Host` of a POST. */
const AMBIGUOUS: readonly (readonly [title: string, rest: string])[] = [
  ['a length and chunks', `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['chunks and a length', `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['two lengths', `Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ['two lengths in one line', `Content-Length: 0, ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ['a length with a sign', `Content-Length: +${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ['a length that is no number', `Content-Length: 0x10\r\n\r\n${HIDDEN}`],
  ['chunks that are not the last coding', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a coding that nobody knows', `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a space before the colon', `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a folded line', `X: a\r\n Content-Length: 4\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ['a line that ends without CR', `X: a\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  [
    'a chunk whose size runs over',
    `Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ['a chunk longer than it says', `Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${HIDDEN}`],
  ['a zero byte in a header', `X: a\0b\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
];

test.for(AMBIGUOUS)('%s: refused, and nothing behind it is a request', async ([, rest]) => {
  const text = `POST /first HTTP/1.1\r\nHost: ${API}\r\n${rest}`;
  const inside = await openTls(world, API);
  const said = saysUntilClosed(inside);
  inside.write(text, 'latin1');
  expect(await said).toMatch(/^(?:HTTP\/1\.1 4\d\d|$)/);
  const plain = await openPlain(world);
  const saidPlain = saysUntilClosed(plain);
  plain.write(text, 'latin1');
  expect(await saidPlain).toMatch(/^(?:HTTP\/1\.1 4\d\d|$)/);
  expect(reached).not.toContain('/smuggled');
  expect((await ask(await openTls(world, API), API)).body).toBe(API);
});

test('a length over HTTP/2 that is not that of the body ends the stream', async () => {
  const session = await openHttp2(world, API);
  for (const length of ['0', '3', '500'])
    await ask2(
      session,
      { ':method': 'POST', ':path': '/first', ':authority': API, 'content-length': length },
      HIDDEN,
    ).catch(() => undefined);
  expect(reached).not.toContain('/smuggled');
  session.destroy();
  expect((await ask(await openTls(world, API), API)).body).toBe(API);
});

test('streams that are opened and reset at once end that connection, and others are served', async () => {
  const session = await openHttp2(world, API);
  let ended = false;
  session.once('close', () => (ended = true));
  const flood = async (): Promise<void> => {
    for (let round = 0; round < 100 && !session.destroyed && !session.closed; round += 1) {
      const streams = Array.from({ length: 50 }, () =>
        session.request({ ':path': '/reset', ':authority': API }),
      );
      for (const stream of streams) stream.on('error', () => undefined);
      // A stream that is closed before it was sent is never opened.
      await new Promise((resolve) => setImmediate(resolve));
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const [, answer] = await Promise.all([flood(), openTls(world, API).then((socket) => ask(socket, API))]);
  expect(answer.body).toBe(API);
  await vi.waitFor(() => expect(ended).toBe(true), { timeout: 10_000 });
  expect(reached.length).toBeLessThan(1_500);
  expect((await ask(await openTls(world, API), API)).body).toBe(API);
});
