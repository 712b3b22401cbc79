import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  answerOf,
  eventsOf,
  messageOf,
  modernCall,
  openSession,
  rpc,
  post,
  type Way,
} from '../../fixtures/hand-client.ts';
import { toolText, type Heard, type SentStream } from '../../fixtures/scripted-server.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let ana: Way;
let bo: Way;
const hiddenFromBo = [
  { users: ['ana'], tools: ['*'], prompts: ['*'], resources: ['*'] },
  { users: ['bo'], tools: ['shared'], resources: ['x://shared'] },
];
beforeAll(async () => {
  world = await startWorld({ spec: { access: hiddenFromBo } });
  [ana, bo] = [await world.as('ana'), await world.as('bo')];
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

describe('change stream', () => {
  test.for([7, 'seven', 0, '7'])(
    '2026-07-28: ack first, and the subscription id is the request id: %j',
    async (id) => {
      const opened = Promise.withResolvers<{ heard: Heard; stream: SentStream }>();
      world.server.on('subscriptions/listen', (heard) => opened.resolve({ heard, stream: heard.stream() }));
      const response = await modernCall(
        ana,
        'subscriptions/listen',
        { notifications: { toolsListChanged: true } },
        { id },
      );
      const { heard, stream } = await opened.promise;
      expect(heard.message.id).toBe(id);
      const _meta = { [SUBSCRIPTION]: id };
      const events = eventsOf(response);
      stream.send({
        method: 'notifications/subscriptions/acknowledged',
        params: { _meta, notifications: {} },
      });
      expect((await events.next())?.message?.method).toBe('notifications/subscriptions/acknowledged');
      stream.send({ method: 'notifications/tools/list_changed', params: { _meta } });
      expect((await events.next())?.message?.params).toEqual({ _meta });
      stream.send({ id, result: { resultType: 'complete', _meta } });
      expect((await events.next())?.message).toMatchObject({ id, result: { _meta } });
      expect(await events.next()).toBeUndefined();
    },
  );

  test('2026-07-28: a resource that the caller may not see cannot be listened to, and none is told of', async () => {
    const refused = await modernCall(bo, 'subscriptions/listen', {
      notifications: { resourceSubscriptions: ['x://secret'] },
    });
    expect((await messageOf(refused)).error?.code).toBe(-32602);
    expect(world.server.heard).toEqual([]);

    world.server.on('subscriptions/listen', (heard) => {
      const stream = heard.stream();
      const _meta = { [SUBSCRIPTION]: heard.message.id };
      for (const uri of ['x://secret', 'x://shared'])
        stream.send({ method: 'notifications/resources/updated', params: { uri, _meta } });
      stream.send({ id: heard.message.id, result: { resultType: 'complete', _meta } });
      stream.end();
    });
    const events = await eventsOf(
      await modernCall(bo, 'subscriptions/listen', {
        notifications: { resourceSubscriptions: ['x://shared'] },
      }),
    ).rest();
    expect(events.flatMap(({ message }) => message?.params?.['uri'] ?? [])).toEqual(['x://shared']);
  });

  test('2026-07-28: the server may also end it with notifications/cancelled', async () => {
    world.server.on('subscriptions/listen', (heard) => {
      const stream = heard.stream();
      stream.send({ method: 'notifications/cancelled', params: { requestId: heard.message.id } });
      stream.end();
    });
    const events = eventsOf(await modernCall(ana, 'subscriptions/listen', { notifications: {} }));
    expect((await events.next())?.message?.method).toBe('notifications/cancelled');
  });

  test('2025: resources/subscribe, and the update comes on the GET stream', async () => {
    const opened = Promise.withResolvers<SentStream>();
    world.server.on('GET', (heard) => opened.resolve(heard.stream()));
    world.server.on('resources/subscribe', (heard) => heard.result({}));
    const session = await openSession(bo);
    const events = eventsOf(await session.get());
    expect(
      (await answerOf(await session.request('resources/subscribe', { uri: 'x://shared' }))).result,
    ).toEqual({});
    const refused = await answerOf(await session.request('resources/subscribe', { uri: 'x://secret' }));
    expect(refused.error?.code).toBe(-32002);
    const stream = await opened.promise;
    for (const uri of ['x://secret', 'x://shared'])
      stream.send({ method: 'notifications/resources/updated', params: { uri } });
    expect((await events.next())?.message?.params).toEqual({ uri: 'x://shared' });
    await events.cancel();
  });
});

describe('progress', () => {
  test.for(['token', 7])('comes with the token of the client, in its type: %j', async (progressToken) => {
    world.server.on('tools/call', (heard) => {
      const stream = heard.stream();
      const token = z
        .looseObject({ progressToken: z.unknown() })
        .parse(heard.message.params?.['_meta']).progressToken;
      for (const progress of [1, 2.5])
        stream.send({ method: 'notifications/progress', params: { progressToken: token, progress } });
      stream.send({ id: heard.message.id, result: toolText('done') });
      stream.end();
    });
    const session = await openSession(ana);
    const params = { name: 'a', _meta: { progressToken } };
    const legacy = await eventsOf(await session.request('tools/call', params)).rest();
    const modern = await eventsOf(
      await modernCall(ana, 'tools/call', { name: 'a' }, { meta: { progressToken } }),
    ).rest();
    for (const events of [legacy, modern])
      expect(
        events.flatMap(({ message }) => (message?.method === undefined ? [] : [message.params])),
      ).toEqual([
        { progressToken, progress: 1 },
        { progressToken, progress: 2.5 },
      ]);
  });
});

describe('logging', () => {
  test('2025: logging/setLevel travels on, and the lines come back', async () => {
    world.server.on('logging/setLevel', (heard) => heard.result({}));
    const session = await openSession(ana);
    const answer = await answerOf(await session.request('logging/setLevel', { level: 'debug' }));
    expect(answer.result).toEqual({});
    expect(world.server.heard.at(-1)?.message.params).toEqual({ level: 'debug' });
  });

  test('2026-07-28: the level is in _meta, and reaches the server', async () => {
    const key = 'io.modelcontextprotocol/logLevel';
    await modernCall(ana, 'tools/call', { name: 'a' }, { meta: { [key]: 'debug' } });
    expect(world.server.heard.at(-1)?.message.params?.['_meta']).toMatchObject({ [key]: 'debug' });
  });
});

describe('caching', () => {
  test('2026-07-28: what was filtered for one caller is private, and kept for no longer than an edit may take', async () => {
    world.server.on('tools/list', (heard) =>
      heard.result({
        tools: [{ name: 'shared' }, { name: 'secret' }],
        ttlMs: 3_600_000,
        cacheScope: 'public',
      }),
    );
    const { result } = await messageOf(await modernCall(bo, 'tools/list'));
    expect(result).toEqual({ tools: [{ name: 'shared' }], ttlMs: 60_000, cacheScope: 'private' });
    const discover = await messageOf(await modernCall(bo, 'server/discover'));
    expect(discover.result).toMatchObject({ cacheScope: 'private' });
  });

  test('2025: nothing is added', async () => {
    world.server.on('tools/list', (heard) => heard.result({ tools: [{ name: 'shared' }] }));
    const session = await openSession(bo);
    expect((await answerOf(await session.request('tools/list'))).result).toEqual({
      tools: [{ name: 'shared' }],
    });
  });
});

test('what is not masked leaves byte for byte, and arrives so', async () => {
  const odd = '{ "n" : 9007199254740993, "e":1.0e+2 , "s":"\\u0041\\/", "z":[ ],"a":-0 }';
  world.server.on('tools/call', ({ message: { id }, send }) =>
    send(
      200,
      'application/json',
      `{"result": {"content":[],"structuredContent":${odd}} , "id":${JSON.stringify(id)},"jsonrpc":"2.0"}`,
    ),
  );
  const body = rpc('tools/call', { name: 'a' }, 1).replace('"name":"a"', `"name":"a", "arguments":${odd}`);
  const session = await openSession(ana);
  const response = await post(ana, body, { headers: session.headers });
  expect(await response.text()).toBe(
    `{"result": {"content":[],"structuredContent":${odd}} , "id":1,"jsonrpc":"2.0"}`,
  );
  expect(world.server.heard.at(-1)?.body).toBe(body);
});
