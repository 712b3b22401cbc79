/** Each kind of bad input: the protocol's own error, an entry in the record, and the next call works. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, bearer, messageOf, modernCall, post, rpc, type Way } from '../fixtures/hand-client.ts';
import { toolText, type Heard } from '../fixtures/scripted-server.ts';
import { recordOf, type Entry } from './records.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let ana: Way & { readonly token: string };
beforeAll(async () => {
  world = await startWorld({
    spec: { limits: { maxBodyBytes: '64Ki', callTimeout: '2s', callsPerMinute: 100_000 } },
  });
  ana = await world.as('ana');
});
afterEach(async () => {
  world.server.reset();
  expect((await answerOf(await modernCall(ana, 'tools/call', { name: 'next' }))).result).toMatchObject(
    toolText('done'),
  );
  world.server.reset();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Waits until the record has a new refusal that matches, and returns it. */
async function recorded(code: RegExp, act: () => Promise<void>): Promise<void> {
  const before = (await recordOf(world.gatehouse)).length;
  await act();
  const gained = async (): Promise<Entry | undefined> =>
    (await recordOf(world.gatehouse))
      .slice(before)
      .find(({ type, event }) => type === 'refusal' && code.test(String(event['code'])));
  await expect.poll(gained, { timeout: 10_000 }).toBeDefined();
}

const deep = `${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`.slice(0, 60_000);

describe('from the client', () => {
  const bodies: readonly [string, string | Buffer, Record<string, string>, number, number][] = [
    ['invalid JSON', '{"jsonrpc":', {}, 400, -32700],
    ['nothing', '', {}, 400, -32700],
    ['text that is not UTF-8', Buffer.of(0x7b, 0xff, 0x7d), {}, 400, -32700],
    ['JSON that is not JSON-RPC', '{"hello":"world"}', {}, 400, -32600],
    ['a number', '7', {}, 400, -32600],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', {}, 400, -32600],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', {}, 400, -32600],
    ['params that are a list', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', {}, 400, -32600],
    ['deeply nested JSON', deep, {}, 400, -32700],
    ['duplicate keys', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', {}, 400, -32600],
    ['the wrong content type', rpc('ping', {}, 1), { 'content-type': 'text/plain' }, 415, -32600],
    ['a gzip body', gzipSync(rpc('ping', {}, 1)), { 'content-encoding': 'gzip' }, 415, -32600],
    ['a body over the limit', rpc('ping', { x: 'x'.repeat(70_000) }, 1), {}, 413, -32600],
  ];
  test.for(bodies)('%s', async ([name, body, headers, status, code]) => {
    await recorded(/bad_request|too_large|unsupported_media_type/, async () => {
      const response = await fetch(world.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(ana.token), ...headers },
        body,
      });
      expect(response.status, name).toBe(status);
      const { error } = await messageOf(response);
      expect([-32700, -32600]).toContain(error?.code);
      if (name !== 'deeply nested JSON') expect(error?.code).toBe(code);
      expect(error?.message).toMatch(/\.$/);
    });
    expect(world.server.heard).toEqual([]);
  });

  test('header and body that disagree', async () => {
    await recorded(/header_mismatch/, async () => {
      const response = await modernCall(ana, 'tools/call', { name: 'a' }, { headers: { 'mcp-name': 'b' } });
      expect((await messageOf(response)).error?.code).toBe(-32020);
    });
  });

  test('an unknown method is asked of the server, who knows best, where a rule grants it', async () => {
    expect((await messageOf(await modernCall(ana, 'no/such'))).error?.code).toBe(-32601);
    expect(world.server.heard).toHaveLength(1);
  });

  test('a hundred megabytes are not read', async () => {
    await recorded(/too_large/, async () => {
      const size = 100 * 1024 * 1024;
      expect(
        await raw(`${head('POST')}Content-Type: application/json\r\nContent-Length: ${size}\r\n\r\n{`),
      ).toMatch(/^HTTP\/1.1 413 /);
    });
  });

  test('a body without a length is counted as it comes', async () => {
    await recorded(/too_large/, async () => {
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      const body = `${head('POST')}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
      expect(await raw(body + chunk.repeat(6))).toMatch(/^HTTP\/1.1 413 /);
    });
  });

  test('headers without end: 431, and bytes that are no HTTP: 400', async () => {
    expect(await raw(`${head('GET')}X: ${'x'.repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    expect(await raw('\x16\x03\x01 hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  });

  test('two ways to tell where the body ends are none', async () => {
    const both = 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await raw(`${head('POST')}${both}`)).toMatch(/^HTTP\/1.1 400 /);
    expect(world.server.heard).toEqual([]);
  });

  test('upgrades and CONNECT go nowhere', async () => {
    expect(await raw(`${head('GET')}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 404 /,
    );
    expect(await raw(`CONNECT example.com:443 HTTP/1.1\r\nHost: ${host()}\r\n\r\n`)).not.toMatch(
      /^HTTP\/1.1 2/,
    );
    expect(world.server.heard).toEqual([]);
  });

  test('HTTP/1.0 is answered, and the connection closed', async () => {
    const body = rpc('tools/call', { name: 'a' }, 1);
    const answer = await raw(
      `${head('POST').replace('1.1', '1.0')}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 [\s\S]*"done"/);
  });

  test('pipelined requests are answered in their order', async () => {
    const one = (id: number): string => {
      const body = rpc('tools/call', { name: 'a' }, id);
      return `${head('POST')}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    };
    const last = `${head('GET')}Connection: close\r\n\r\n`;
    const answers = await raw(one(1) + one(2) + one(3) + last);
    expect([...answers.matchAll(/"id":(\d)/g)].map(([, id]) => id)).toEqual(['1', '2', '3']);
  });

  test('a client that sends its body slowly keeps nobody waiting', async () => {
    const slow = connect(Number(new URL(world.url).port), '127.0.0.1');
    slow.write(`${head('POST')}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{`);
    await once(slow, 'connect');
    expect((await modernCall(ana, 'tools/call', { name: 'a' })).status).toBe(200);
    await recorded(/client_gone/, async () => {
      slow.destroy();
      await once(slow, 'close');
    });
  });
});

function host(): string {
  return new URL(world.url).host;
}

function head(method: string): string {
  return `${method} /mcp HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${ana.token}\r\n`;
}

/** Sends bytes as they are and reads until the other side closes, or has answered and says nothing more. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.setTimeout(1500, () => socket.end());
  socket.write(bytes);
  return textOf(socket).catch(() => '');
}

describe('from the server', () => {
  const call = async (): Promise<{ status: number; code: number | undefined; text: string }> => {
    const response = await modernCall(ana, 'tools/call', { name: 'a' });
    const answer = await answerOf(response);
    return { status: response.status, code: answer.error?.code, text: answer.error?.message ?? '' };
  };
  const html = '<html><body>nginx</body></html>';
  const id = (heard: Heard): unknown => heard.message.id;
  const faults: readonly [string, (heard: Heard) => void][] = [
    ['HTML', (heard) => heard.send(200, 'text/html', html)],
    ['a page with status 500', (heard) => heard.send(500, 'text/html', html)],
    ['a redirect', (heard) => void heard.response.writeHead(307, { location: 'http://evil.example/' }).end()],
    ['401', (heard) => void heard.response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()],
    ['403 with JSON', (heard) => heard.error(-32000, 'forbidden', 403)],
    ['invalid JSON', (heard) => heard.send(200, 'application/json', '{"jsonrpc":')],
    ['JSON that is no message', (heard) => heard.send(200, 'application/json', '{"hello":1}')],
    ['a batch', (heard) => heard.send(200, 'application/json', `[{"jsonrpc":"2.0","id":1,"result":{}}]`)],
    [
      'duplicate keys',
      (heard) => heard.send(200, 'application/json', '{"jsonrpc":"2.0","id":1,"result":{},"result":{"a":1}}'),
    ],
    ['another id', (heard) => heard.send(200, 'application/json', '{"jsonrpc":"2.0","id":999,"result":{}}')],
    [
      'the id as text',
      (heard) => heard.send(200, 'application/json', '{"jsonrpc":"2.0","id":"1","result":{}}'),
    ],
    ['202 and nothing', (heard) => void heard.response.writeHead(202).end()],
    [
      'gzip that nobody asked for',
      (heard) =>
        void heard.response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(gzipSync('{}')),
    ],
    ['more than fits', (heard) => heard.result(toolText('x'.repeat(400_000)))],
    [
      'text that is not UTF-8',
      (heard) =>
        void heard.response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(Buffer.of(0x22, 0xff, 0x22)),
    ],
    ['nothing, and hangs up', (heard) => heard.response.destroy()],
    [
      'half an answer, and hangs up',
      (heard) =>
        void heard.response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
          .write('{"json', () => heard.response.destroy()),
    ],
    ['a stream that ends before the answer', (heard) => heard.stream().end()],
    [
      'a stream that breaks',
      (heard) => {
        heard.stream().send({ method: 'notifications/message', params: {} });
        setTimeout(() => heard.response.destroy(), 20);
      },
    ],
    ['an event that is no JSON', (heard) => heard.stream().raw('data: nothing\n\n')],
    ['an event that is not UTF-8', (heard) => heard.stream().raw(Buffer.from('data: \xff\n\n', 'latin1'))],
    ['an event without end', (heard) => heard.stream().raw(`data: ${'x'.repeat(400_000)}`)],
    ['never', (heard) => void id(heard)],
    ['a stream that never ends', (heard) => void heard.stream()],
  ];
  test.for(faults)('that answers with %s', async ([, fault]) => {
    await recorded(/upstream_(invalid|unavailable|timeout)/, async () => {
      world.server.on('tools/call', fault);
      const { status, code, text } = await call();
      expect([200, 502, 504]).toContain(status);
      expect(code).toBe(-32603);
      expect(text).toMatch(/MCP server|server sent/);
      expect(text).not.toContain('nginx');
    });
  });

  test('that answers twice is believed once', async () => {
    world.server.on('tools/call', (heard) => {
      const stream = heard.stream();
      stream.send({ id: id(heard), result: toolText('first') });
      stream.send({ id: id(heard), result: toolText('second') });
      stream.end();
    });
    const answer = await answerOf(await modernCall(ana, 'tools/call', { name: 'a' }));
    expect(answer.result).toMatchObject(toolText('first'));
  });

  test('that answers late is answered for, and its late answer goes nowhere', async () => {
    const late = Promise.withResolvers<Heard>();
    world.server.on('tools/call', (heard) => late.resolve(heard));
    expect((await call()).text).toContain('did not answer within 2 s');
    const heard = await late.promise;
    await heard.hungUp;
    heard.result(toolText('late'));
  });

  test('that answers with its own errors is passed on, status and all', async () => {
    world.server.on('tools/call', (heard) => heard.error(-32050, 'mine', 400));
    expect(await call()).toEqual({ status: 400, code: -32050, text: 'mine' });
  });
});

test('a server that is not there', async () => {
  await using lost = await startWorld({ spec: { server: { url: 'http://127.0.0.1:9/mcp' } } });
  const response = await post(await lost.as('ana'), rpc('initialize', {}, 1));
  expect(response.status).toBe(502);
  expect((await messageOf(response)).error?.message).toContain('could not be reached');
});
