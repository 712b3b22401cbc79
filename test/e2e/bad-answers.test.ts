/** Servers that misbehave: the client gets an error that says so, the record an entry, and the next call works. */
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, messageOf, modernCall, post, rpc, type Way } from '../fixtures/hand-client.ts';
import { toolText, type Heard } from '../fixtures/scripted-server.ts';
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
    await refusalDuring(world.gatehouse, /upstream_(invalid|unavailable|timeout)/, async () => {
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
