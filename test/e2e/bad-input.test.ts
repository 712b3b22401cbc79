/** Each kind of bad input: the protocol's own error, an entry in the record, and the next call works. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, bearer, messageOf, modernCall, rpc, type Way } from '../fixtures/hand-client.ts';
import { toolText } from '../fixtures/scripted-server.ts';
import { refusalDuring } from './records.ts';
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
    await refusalDuring(world.gatehouse, /bad_request|too_large|unsupported_media_type/, async () => {
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
    await refusalDuring(world.gatehouse, /header_mismatch/, async () => {
      const response = await modernCall(ana, 'tools/call', { name: 'a' }, { headers: { 'mcp-name': 'b' } });
      expect((await messageOf(response)).error?.code).toBe(-32020);
    });
  });

  test('an unknown method is asked of the server, who knows best, where a rule grants it', async () => {
    expect((await messageOf(await modernCall(ana, 'no/such'))).error?.code).toBe(-32601);
    expect(world.server.heard).toHaveLength(1);
  });

  test('a hundred megabytes are not read', async () => {
    await refusalDuring(world.gatehouse, /too_large/, async () => {
      const size = 100 * 1024 * 1024;
      expect(
        await raw(`${head('POST')}Content-Type: application/json\r\nContent-Length: ${size}\r\n\r\n{`),
      ).toMatch(/^HTTP\/1.1 413 /);
    });
  });

  test('a body without a length is counted as it comes', async () => {
    await refusalDuring(world.gatehouse, /too_large/, async () => {
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
    await refusalDuring(world.gatehouse, /client_gone/, async () => {
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
