import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  ask,
  ask2,
  answerTo,
  openHttp2,
  openTls,
  startRequest,
  textOf,
} from '../../../test/fixtures/egress-client.ts';
import { EgressWorld, freshPlaceholder } from '../../../test/fixtures/egress-world.ts';
import { Secret } from '../../../lib/secret.ts';
import type { OutboundCredential } from './credential.ts';
import type { Lease } from './gateway.ts';

const API = 'api.example.test';
const PLAIN = 'plain.example.test';
const placeholder = freshPlaceholder();
const github: OutboundCredential = {
  name: 'github',
  whenShared: 'Pod',
  hosts: [{ host: API, port: 443 }],
  header: { name: 'Authorization', value: 'Bearer {{ token }}' },
  placeholder,
};
const carrying = { authorization: `token ${placeholder.value}` };

let world: EgressWorld;
beforeEach(async () => {
  world = await EgressWorld.create();
});
afterEach(() => world[Symbol.asyncDispose]());

const secret = (): string => world.secretOf('github', 'pod');
const http1 = async (
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
  credential = github,
): Promise<void> => {
  await world.upstream([API], { onRequest });
  await world.start({ credentials: [credential] });
};

test('the upstream gets the secret in the declared header, and the server sees the placeholder alone', async () => {
  let seen: IncomingMessage['headers'] = {};
  await http1((request, response) => {
    seen = request.headers;
    response.setHeader('x-echo', `you sent ${request.headers.authorization ?? ''}`);
    response.end(JSON.stringify(request.headers));
  });
  const answer = await ask(await openTls(world, API), API, { path: '/user?page=2', headers: carrying });
  expect(seen.authorization).toBe(`Bearer ${secret()}`);
  expect(seen.host).toBe(API);
  expect(answer.status).toBe(200);
  expect(answer.body).not.toContain(secret());
  expect(answer.headers['x-echo']).toBe(`you sent Bearer ${'*'.repeat(secret().length)}`);
  expect(JSON.stringify(world.records)).not.toContain(secret());
  expect(JSON.stringify(world.records)).not.toContain('page=2');
  expect(world.records).toMatchObject([
    {
      destination: `${API}:443`,
      what: 'GET /user?…',
      decision: 'allow',
      credential: 'github',
      status: 200,
    },
  ]);
});

test('a request without the placeholder passes as it is', async () => {
  await http1((request, response) => response.end(request.headers.authorization ?? 'none'));
  const own = await ask(await openTls(world, API), API, {
    headers: { authorization: 'Bearer of-the-server' },
  });
  expect(own.body).toBe('Bearer of-the-server');
  expect((await ask(await openTls(world, API), API)).body).toBe('none');
});

test('a credential without a placeholder is put into every request, whatever the server sent', async () => {
  const seen: (string | undefined)[] = [];
  await http1(
    (request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    },
    { ...github, placeholder: undefined },
  );
  await ask(await openTls(world, API), API);
  // Named in Connection, a header would be dropped on the way if that were done after the credential went in.
  const headers = { authorization: 'Bearer other', connection: 'close, authorization' };
  await ask(await openTls(world, API), API, { headers });
  expect(seen).toEqual([`Bearer ${secret()}`, `Bearer ${secret()}`]);
});

test('the placeholder is found in Basic credentials and in the declared query parameter', async () => {
  const seen: { authorization: string | undefined; url: string | undefined }[] = [];
  await http1(
    ({ headers, url }, response) => {
      seen.push({ authorization: headers.authorization, url });
      response.end(Buffer.from(headers.authorization?.slice(6) ?? '', 'base64'));
    },
    { ...github, query: { name: 'key', value: '{{ token }}' } },
  );
  const basic = Buffer.from(`x-access-token:${placeholder.value}`).toString('base64');
  const answer = await ask(await openTls(world, API), API, { headers: { authorization: `Basic ${basic}` } });
  const path = `/v1?q=a%20b&key=${placeholder.value}&other=${placeholder.value}`;
  await ask(await openTls(world, API), API, { path });
  expect(Buffer.from(seen[0]?.authorization?.slice(6) ?? '', 'base64').toString()).toBe(
    `x-access-token:${secret()}`,
  );
  expect(answer.body).toBe(`x-access-token:${'*'.repeat(secret().length)}`);
  expect(seen[1]?.url).toBe(`/v1?q=a%20b&key=${secret()}&other=${placeholder.value}`);
});

test('a user and a password are encoded as Basic credentials', async () => {
  await world.upstream([API], {
    onRequest: (request, response) => response.end(request.headers.authorization),
  });
  await world.start({
    credentials: [
      {
        ...github,
        header: { name: 'Authorization', value: 'Basic {{ user }}:{{ password }}' },
        placeholder: undefined,
      },
    ],
    deps: {
      lend: () =>
        Promise.resolve({
          expiresAt: undefined,
          fields: new Map([
            ['user', new Secret('orders')],
            ['password', new Secret('pass-word-123')],
          ]),
        }),
    },
  });
  const { body } = await ask(await openTls(world, API), API);
  const encoded = Buffer.from('orders:pass-word-123').toString('base64');
  // The upstream got it, and the server that asked for an echo did not.
  expect(body).toBe(`Basic ${'*'.repeat(encoded.length)}`);
});

test('an event stream is passed on event by event', async () => {
  const events = new Readable({ read: () => undefined });
  await http1((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    events.pipe(response);
  });
  const outgoing = startRequest(await openTls(world, API), API, { headers: carrying });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  for (const number of [1, 2, 3]) {
    events.push(`data: ${number}\n\n`);
    const [event] = (await once(response, 'data')) as [Buffer];
    expect(event.toString()).toBe(`data: ${number}\n\n`);
  }
  response.destroy();
});

test('trailers go both ways, over HTTP/1.1', async () => {
  let received: NodeJS.Dict<string> = {};
  await http1((request, response) => {
    void textOf(request).then((text) => {
      received = request.trailers;
      response.writeHead(200, { trailer: 'x-sum' });
      response.write(text);
      response.addTrailers({ 'x-sum': 'abc' });
      response.end();
    });
  });
  const outgoing = startRequest(await openTls(world, API), API, {
    method: 'POST',
    headers: { ...carrying, trailer: 'x-check', 'transfer-encoding': 'chunked' },
  });
  outgoing.write('body');
  outgoing.addTrailers({ 'x-check': '42' });
  outgoing.end();
  const answer = await answerTo(outgoing);
  expect(received['x-check']).toBe('42');
  expect([answer.body, answer.trailers['x-sum']]).toEqual(['body', 'abc']);
});

test('a body is sent when the upstream asks for it (100 Continue)', async () => {
  const order: string[] = [];
  await world.upstream([API], {
    onContinue: (request, response) => {
      order.push('asked');
      response.writeContinue();
      void textOf(request).then((text) => response.end(text));
    },
  });
  await world.start({ credentials: [github] });
  const outgoing = startRequest(await openTls(world, API), API, {
    method: 'PUT',
    headers: { ...carrying, expect: '100-continue', 'content-length': '5' },
  });
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
  order.push('told');
  outgoing.end('hello');
  expect((await answerTo(outgoing)).body).toBe('hello');
  expect(order).toEqual(['asked', 'told']);
});

test('a WebSocket works both ways, with the credential in its request', async () => {
  let seen: string | undefined;
  await world.upstream([API], {
    onUpgrade: (request, socket) => {
      seen = request.headers.authorization;
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nwelcome ',
      );
      socket.pipe(socket);
    },
  });
  await world.start({ credentials: [github] });
  const headers = { ...carrying, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x' };
  const outgoing = startRequest(await openTls(world, API), API, { headers });
  outgoing.end();
  const [, socket, head] = (await once(outgoing, 'upgrade')) as [IncomingMessage, Socket, Buffer];
  let said = head.toString();
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
  socket.end('ping');
  await once(socket, 'end');
  expect(said).toBe('welcome ping');
  expect(seen).toBe(`Bearer ${secret()}`);
});

test('a request for another protocol is answered as if it had not asked', async () => {
  await http1((request, response) => response.end(String(request.headers.upgrade)));
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
  expect((await ask(await openTls(world, API), API, { headers })).body).toBe('undefined');
});

const SIZE = 100 * 1024 * 1024;

/** The same bytes again and again; what arrives is compared by its digest. */
function* pieces(size: number): Generator<Buffer> {
  const piece = randomBytes(1 << 16);
  for (let sent = 0; sent < size; sent += piece.length) yield piece;
}

async function digestOf(stream: NodeJS.ReadableStream): Promise<string> {
  const hash = createHash('sha256');
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  await once(stream, 'end');
  return hash.digest('hex');
}

test('100 MB go both ways unchanged, over HTTP/1.1', async () => {
  const hash = createHash('sha256');
  await http1((request, response) => void request.pipe(response));
  const outgoing = startRequest(await openTls(world, API), API, {
    method: 'POST',
    headers: { ...carrying, 'transfer-encoding': 'chunked' },
  });
  Readable.from(pieces(SIZE))
    .on('data', (chunk: Buffer) => hash.update(chunk))
    .pipe(outgoing);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect(await digestOf(response)).toBe(hash.digest('hex'));
});

test('100 MB go both ways unchanged, over HTTP/2', async () => {
  const hash = createHash('sha256');
  await world.upstream([API], {
    onStream: (stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    },
  });
  await world.start({ credentials: [github] });
  const session = await openHttp2(world, API);
  const stream = session.request({ ':method': 'POST', ':path': '/', ...carrying });
  Readable.from(pieces(SIZE))
    .on('data', (chunk: Buffer) => hash.update(chunk))
    .pipe(stream);
  expect(await digestOf(stream)).toBe(hash.digest('hex'));
  session.close();
});

test('HTTP/2 keeps streams apart, carries trailers both ways, and gets the credential on every stream', async () => {
  const seen: unknown[] = [];
  await world.upstream([API], {
    onStream: (stream, headers) => {
      seen.push(headers.authorization);
      let trailers: Record<string, unknown> = {};
      stream.once('trailers', (last) => (trailers = { ...last }));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '0', 'x-got': String(trailers['x-sent']) }),
      );
      stream.pipe(stream);
    },
  });
  await world.start({ credentials: [github] });
  const session = await openHttp2(world, API);
  const one = async (number: number): Promise<unknown[]> => {
    const stream = session.request(
      { ':method': 'POST', ':path': `/svc/${number}`, te: 'trailers', ...carrying },
      { waitForTrailers: true },
    );
    stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sent': String(number) }));
    const trailers = once(stream, 'trailers');
    stream.end(`message ${number}`);
    const body = await textOf(stream);
    const [last] = (await trailers) as [Record<string, unknown>];
    return [body, last['grpc-status'], last['x-got']];
  };
  const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(one));
  expect(answers).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [`message ${n}`, '0', String(n)]));
  expect(new Set(seen)).toEqual(new Set([`Bearer ${secret()}`]));
  session.close();
});

test('an answer of trailers alone, as gRPC gives for an error, stays one', async () => {
  await world.upstream([API], {
    onStream: (stream) => stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true }),
  });
  await world.start({ credentials: [github] });
  const session = await openHttp2(world, API);
  const answer = await ask2(session, { ':method': 'POST', ':path': '/svc/Get', ...carrying }, 'x');
  expect([answer.status, answer.headers['grpc-status'], answer.body]).toEqual([200, '5', '']);
  session.close();
});

test('a reset of the upstream stream reaches the client as one, and half a body is no whole one', async () => {
  await world.upstream([API], {
    onStream: (stream) => {
      // Else Node ends the stream in good order before it resets it.
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.write('half', () => stream.close(2));
    },
  });
  await world.start({ credentials: [github] });
  const session = await openHttp2(world, API);
  const stream = session.request({ ':path': '/' });
  stream.resume();
  await expect(once(stream, 'close')).rejects.toThrow(/NGHTTP2_INTERNAL_ERROR/);
  session.close();
});

test('an upstream that ends in the middle of a body does not look like one that ended', async () => {
  await http1((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  });
  const outgoing = startRequest(await openTls(world, API), API, {});
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  await expect(textOf(response)).rejects.toThrow();
  expect(response.complete).toBe(false);
});

test('HTTP/2 from the client goes on over HTTP/1.1 where the upstream has nothing else', async () => {
  await http1((request, response) => {
    void textOf(request).then((text) => {
      response.writeHead(201, { trailer: 'x-sum' });
      response.write(
        `${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization === `Bearer ${secret()}` ? 'yes' : 'no'} ${text}`,
      );
      response.addTrailers({ 'x-sum': 'abc' });
      response.end();
    });
  });
  const session = await openHttp2(world, API);
  const first = await ask2(session, { ':method': 'POST', ':path': '/a', ...carrying }, 'body');
  expect([first.status, first.body, first.trailers['x-sum']]).toEqual([201, 'POST /a yes body', 'abc']);
  expect((await ask2(session, { ':path': '/b' })).body).toBe('GET /b no ');
  session.close();
});

test('a secret that the upstream refused is replaced once, and a request that can be repeated is', async () => {
  let current = 'first-value-1';
  let replaced = 0;
  const seen: string[] = [];
  await world.upstream([API], {
    onRequest: (request, response) => {
      seen.push(`${request.method ?? ''} ${request.headers.authorization ?? ''}`);
      response.writeHead(request.headers.authorization === 'Bearer second-value-2' ? 200 : 401).end('x');
    },
  });
  const lease = (): Lease => ({
    expiresAt: undefined,
    fields: new Map([['token', new Secret(current)]]),
  });
  await world.start({
    credentials: [github],
    deps: {
      lend: () => Promise.resolve(lease()),
      replace: () => {
        replaced += 1;
        if (replaced > 1) return Promise.reject(new Error('That was done just now.'));
        current = 'second-value-2';
        return Promise.resolve(lease());
      },
    },
  });
  expect((await ask(await openTls(world, API), API, { headers: carrying })).status).toBe(200);
  current = 'third-value-33';
  // A POST may have done something: its client learns of the 401.
  expect((await ask(await openTls(world, API), API, { method: 'POST', headers: carrying })).status).toBe(401);
  expect(seen).toEqual([
    'GET Bearer first-value-1',
    'GET Bearer second-value-2',
    'POST Bearer third-value-33',
  ]);
  expect(replaced).toBe(2);
});

test('hosts that are allowed and have no credential are tunnelled, their own certificates included', async () => {
  await world.upstream([PLAIN], { onRequest: (_request, response) => response.end('direct') });
  await world.start({ credentials: [github], allow: [{ host: PLAIN, port: 443 }] });
  await expect(openTls(world, PLAIN)).rejects.toThrow(/self-signed|unable to/);
  await vi.waitFor(() => expect(world.records).toHaveLength(1));
  expect(world.records.at(-1)).toMatchObject({
    destination: `${PLAIN}:443`,
    what: 'CONNECT',
    decision: 'allow',
  });
});
