import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  answerOf,
  eventsOf,
  LEGACY,
  messageOf,
  modernCall,
  openSession,
  post,
  type Way,
} from '../../fixtures/hand-client.ts';
import { toolText } from '../../fixtures/scripted-server.ts';
import { startWorld, type World } from '../world.ts';

const batch = z.array(
  z.looseObject({
    id: z.number(),
    result: z.looseObject({}).optional(),
    error: z.looseObject({ code: z.number() }).optional(),
  }),
);

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld({
    spec: { access: [{ authenticated: true, tools: ['open_*'], resources: ['*'], prompts: ['*'] }] },
    server: { mayAsk: ['Sampling', 'Elicitation', 'Roots'] },
  });
  ana = await world.as('ana');
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

const call = (id: number, name: string): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

describe('notification POST', () => {
  test.for(LEGACY)('%s: 202 without a body, and the server gets it', async (revision) => {
    const session = await openSession(ana, revision);
    const response = await session.send({ method: 'notifications/initialized' });
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(world.server.heard.at(-1)?.message.method).toBe('notifications/initialized');
  });

  test('one that no rule grants is refused with 4xx and does not arrive', async () => {
    const session = await openSession(ana);
    const response = await session.send({ method: 'vendor/forget-everything' });
    expect(response.status).toBe(400);
    expect(world.server.heard).toHaveLength(1);
  });

  test('a request without its id is no way past those who look at requests', async () => {
    const session = await openSession(ana);
    const response = await session.send({ method: 'tools/call', params: { name: 'open_door' } });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(world.server.heard).toHaveLength(1);
  });

  test('a server that answers one with a stream keeps no connection', async () => {
    const session = await openSession(ana);
    const arrived = world.server.arrival('notifications/initialized');
    world.server.on('notifications/initialized', (heard) => void heard.stream());
    expect((await session.send({ method: 'notifications/initialized' })).status).toBe(202);
    await (
      await arrived
    ).hungUp;
  });
});

describe('batching', () => {
  test('2025-03-26: accepted; a refused element does not lose the others', async () => {
    const session = await openSession(ana, '2025-03-26');
    const body = [
      call(1, 'open_a'),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      call(2, 'hidden'),
      { jsonrpc: '2.0', method: 'vendor/refused' },
      call(3, 'open_b'),
    ];
    const response = await post(ana, JSON.stringify(body), { headers: session.headers });
    const answers = batch.parse(await response.json()).sort((one, other) => one.id - other.id);
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      [1, undefined],
      [2, -32602],
      [3, undefined],
    ]);
    const methods = world.server.heard.map(({ message }) => message.method);
    expect(methods.sort()).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'tools/call']);
  });

  test('2025-03-26: one of notifications alone: 202', async () => {
    const session = await openSession(ana, '2025-03-26');
    const body = JSON.stringify([{ jsonrpc: '2.0', method: 'notifications/initialized' }]);
    expect((await post(ana, body, { headers: session.headers })).status).toBe(202);
  });

  test('2025-03-26: initialize may not be in one', async () => {
    const body = JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }]);
    expect((await post(ana, body)).status).toBe(400);
    expect(world.server.heard).toEqual([]);
  });

  test.for(['2025-06-18', '2025-11-25'] as const)('%s: refused', async (revision) => {
    const session = await openSession(ana, revision);
    const response = await post(ana, JSON.stringify([call(1, 'open_a')]), { headers: session.headers });
    expect([response.status, (await messageOf(response)).error?.code]).toEqual([400, -32600]);
    expect(world.server.heard).toHaveLength(1);
  });

  test('2026-07-28: refused', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const body = JSON.stringify([{ ...call(1, 'open_a'), params: { name: 'open_a', _meta } }]);
    const response = await post(ana, body, { headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect(response.status).toBe(400);
  });

  test('an empty one, and one of a thousand, are refused', async () => {
    const many = JSON.stringify(Array.from({ length: 1000 }, (_, id) => call(id, 'open_a')));
    for (const body of ['[]', many]) expect((await post(ana, body)).status).toBe(400);
  });
});

describe('unknown method', () => {
  test.for(LEGACY)('%s: -32601', async (revision) => {
    const session = await openSession(ana, revision);
    const response = await session.request('vendor/thing');
    expect([response.status, (await answerOf(response)).error?.code]).toEqual([200, -32601]);
  });

  test('2026-07-28: 404 and -32601', async () => {
    const response = await modernCall(ana, 'vendor/thing');
    expect([response.status, (await messageOf(response)).error?.code]).toEqual([404, -32601]);
  });

  test("2026-07-28: the server's own 404 and -32601 come through", async () => {
    world.server.on('prompts/list', (heard) => heard.error(-32601, 'No prompts here', 404));
    const response = await modernCall(ana, 'prompts/list');
    expect(response.status).toBe(404);
    expect((await messageOf(response)).error).toMatchObject({ code: -32601, message: 'No prompts here' });
  });

  test('2026-07-28: what the revision took out is not there', async () => {
    for (const method of ['resources/subscribe', 'resources/unsubscribe', 'tasks/result'])
      expect((await modernCall(ana, method, { uri: 'x://a', taskId: 't' })).status, method).toBe(404);
  });
});

describe('resource not found', () => {
  test.for(LEGACY)("%s: the server's -32002 comes through", async (revision) => {
    const session = await openSession(ana, revision);
    world.server.on('resources/read', (heard) => heard.error(-32002, 'Resource not found'));
    expect((await answerOf(await session.request('resources/read', { uri: 'x://a' }))).error?.code).toBe(
      -32002,
    );
  });

  test("2026-07-28: the server's -32602 comes through", async () => {
    world.server.on('resources/read', (heard) => heard.error(-32602, 'Resource not found', 200));
    expect((await messageOf(await modernCall(ana, 'resources/read', { uri: 'x://a' }))).error?.code).toBe(
      -32602,
    );
  });
});

describe('server→client requests', () => {
  const asks = ['sampling/createMessage', 'elicitation/create', 'roots/list'];

  test.for(asks)('2025: %s on the POST stream, and the answer goes back', async (method) => {
    const session = await openSession(ana);
    const back = world.server.arrival('response');
    world.server.on('tools/call', async (heard) => {
      const stream = heard.stream();
      stream.send({ id: 'ask-1', method, params: {} });
      const { message } = await back;
      stream.send({ id: heard.message.id, result: toolText(JSON.stringify(message['result'])) });
      stream.end();
    });
    const events = eventsOf(await session.request('tools/call', { name: 'open_a' }));
    expect((await events.next())?.message).toMatchObject({ id: 'ask-1', method });
    const answered = await session.send({ id: 'ask-1', result: { said: 'yes' } });
    expect([answered.status, await answered.text()]).toEqual([202, '']);
    expect((await events.next())?.message?.result).toMatchObject(toolText('{"said":"yes"}'));
    expect((await back).headers['mcp-session-id']).toMatch(/^upstream-/);
  });

  test('2025: on the GET stream, and on that alone', async () => {
    world.server.on('GET', (heard) => heard.stream().send({ id: 9, method: 'roots/list' }));
    const session = await openSession(ana);
    const events = eventsOf(await session.get());
    expect((await events.next())?.message).toMatchObject({ id: 9, method: 'roots/list' });
    const back = world.server.arrival('response');
    await session.send({ id: 9, error: { code: -1, message: 'The user said no' } });
    expect((await back).body).toBe(
      '{"jsonrpc":"2.0","id":9,"error":{"code":-1,"message":"The user said no"}}',
    );
    await events.cancel();
  });

  test('2026-07-28: clients post no responses', async () => {
    const response = await post(ana, '{"jsonrpc":"2.0","id":1,"result":{}}', {
      headers: { 'mcp-protocol-version': '2026-07-28' },
    });
    expect(response.status).toBe(400);
    expect(world.server.heard).toEqual([]);
  });

  test('2026-07-28: a server that asks all the same does not reach the client', async () => {
    world.server.on('tools/call', (heard) => {
      const stream = heard.stream();
      stream.send({ id: 'ask', method: 'sampling/createMessage', params: {} });
      stream.send({ id: heard.message.id, result: toolText('done') });
      stream.end();
    });
    const events = await eventsOf(await modernCall(ana, 'tools/call', { name: 'open_a' })).rest();
    expect(events.map(({ message }) => message?.method)).toEqual([undefined]);
  });
});
