import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, eventsOf, modernCall, openSession, type Way } from '../../fixtures/hand-client.ts';
import { toolText, type Heard, type SentStream } from '../../fixtures/scripted-server.ts';
import { startWorld, type World } from '../world.ts';
import { answerTo, note, streamedCall } from './streamed-call.ts';

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld();
  ana = await world.as('ana');
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

describe('buffering', () => {
  test.for(['legacy', 'modern'])(
    '%s: an event is with the client before the server sends the next',
    async (era) => {
      const opened = Promise.withResolvers<{ heard: Heard; stream: SentStream }>();
      world.server.on('tools/call', (heard) => opened.resolve({ heard, stream: heard.stream() }));
      const response =
        era === 'modern'
          ? await modernCall(ana, 'tools/call', { name: 'slow' })
          : await (await openSession(ana)).request('tools/call', { name: 'slow' });
      const { heard, stream } = await opened.promise;
      const events = eventsOf(response);
      for (let n = 1; n <= 5; n += 1) {
        stream.send(note(n));
        expect((await events.next())?.message?.params).toMatchObject({ data: `line ${n}` });
      }
      stream.send(answerTo(heard));
      expect((await events.next())?.message?.result).toBeDefined();
      expect(await events.next()).toBeUndefined();
      expect(response.headers.get('x-accel-buffering')).toBe('no');
      expect(response.headers.get('cache-control')).toContain('no-cache');
    },
  );

  test('a GET stream is forwarded event by event too', async () => {
    const opened = Promise.withResolvers<SentStream>();
    world.server.on('GET', (heard) => opened.resolve(heard.stream()));
    const session = await openSession(ana);
    const events = eventsOf(await session.get());
    const stream = await opened.promise;
    for (let n = 1; n <= 3; n += 1) {
      stream.send(note(n));
      expect((await events.next())?.message?.params).toMatchObject({ data: `line ${n}` });
    }
    await events.cancel();
  });

  test('an event cut anywhere, in the middle of a character too, arrives whole', async () => {
    const { heard, stream, response } = await streamedCall(world, await openSession(ana));
    const bytes = Buffer.from(
      `data: ${JSON.stringify({ jsonrpc: '2.0', ...answerTo(heard, 'Grüße 🦆') })}\r\n\r\n`,
    );
    for (const byte of bytes) {
      stream.raw(Buffer.of(byte));
      if (byte > 127) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await answerOf(response)).result).toMatchObject(toolText('Grüße 🦆'));
  });
});

describe('SSE ids and Last-Event-ID', () => {
  test('2025: ids are ours and unique in the session; what was missed is found by GET', async () => {
    const session = await openSession(ana);
    const { heard, stream, response } = await streamedCall(world, session);
    const events = eventsOf(response);
    stream.send(note(1), { id: 'server-1' });
    const first = await events.next();
    expect(first?.id).toBeDefined();
    expect(first?.id).not.toContain('server');
    await events.cancel();
    stream.send(note(2), { id: 'server-2' });
    stream.send(answerTo(heard), { id: 'server-3' });

    const resumed = await eventsOf(await session.get({ 'last-event-id': first?.id ?? '' })).rest();
    expect(resumed.map(({ message }) => message?.method ?? 'answer')).toEqual([
      'notifications/message',
      'answer',
    ]);
    expect(new Set([first?.id, ...resumed.map(({ id }) => id)]).size).toBe(3);
  });

  test('2025: a resumed stream goes on with what is still to come', async () => {
    const session = await openSession(ana);
    const { heard, stream, response } = await streamedCall(world, session);
    const events = eventsOf(response);
    stream.send(note(1));
    const first = await events.next();
    await events.cancel();
    const resumed = eventsOf(await session.get({ 'last-event-id': first?.id ?? '' }));
    stream.send(note(2));
    expect((await resumed.next())?.message?.params).toMatchObject({ data: 'line 2' });
    stream.send(answerTo(heard));
    expect((await resumed.next())?.message?.result).toBeDefined();
    expect(await resumed.next()).toBeUndefined();
  });

  test('2025: never another stream, never another session', async () => {
    const session = await openSession(ana);
    const [one, two] = [await streamedCall(world, session, 1), await streamedCall(world, session, 2)];
    one.stream.send(note(1));
    two.stream.send(note(2));
    const [ofOne, ofTwo] = [eventsOf(one.response), eventsOf(two.response)];
    const first = await ofOne.next();
    await ofTwo.next();
    one.stream.send(answerTo(one.heard, 'one'));
    two.stream.send(answerTo(two.heard, 'two'));
    await Promise.all([ofOne.rest(), ofTwo.rest()]);
    const resumed = await eventsOf(await session.get({ 'last-event-id': first?.id ?? '' })).rest();
    expect(resumed.map(({ message }) => message?.id)).toEqual([1]);

    const other = await openSession(ana);
    const elsewhere = await other.get({ 'last-event-id': first?.id ?? '' });
    expect(elsewhere.status).not.toBe(200);
  });

  test('2025: after an id of a stream that is not kept nothing is replayed', async () => {
    const session = await openSession(ana);
    const { heard, stream, response } = await streamedCall(world, session);
    stream.send(note(1));
    stream.send(answerTo(heard));
    await eventsOf(response).rest();
    for (const id of ['nobody-1.1', 'x', '%', 'a'.repeat(500)]) {
      const opened = Promise.withResolvers<SentStream>();
      world.server.on('GET', (asked) => opened.resolve(asked.stream()));
      const events = eventsOf(await (await openSession(ana)).get({ 'last-event-id': id }));
      (await opened.promise).send(note(7));
      expect((await events.next())?.message?.params).toMatchObject({ data: 'line 7' });
      await events.cancel();
    }
  });

  test('2025-11-25: priming event and retry pass; the server closes and is asked again for the rest', async () => {
    const session = await openSession(ana);
    const { heard, stream, response } = await streamedCall(world, session);
    const events = eventsOf(response);
    stream.prime('server-7', 50);
    const primed = await events.next();
    expect(primed?.data).toBe('');
    expect(primed?.id).toBeDefined();
    stream.end();
    expect(await events.next()).toBeUndefined();

    const polled = world.server.arrival('GET');
    world.server.on('GET', (again) => {
      const more = again.stream();
      more.send(answerTo(heard), { id: 'server-8' });
      more.end();
    });
    const resumed = await session.get({ 'last-event-id': primed?.id ?? '' });
    expect((await polled).headers['last-event-id']).toBe('server-7');
    expect((await answerOf(resumed)).result).toBeDefined();
  });

  test('2025-11-25: a GET stream that the server closes is taken up again where it was', async () => {
    const streams: SentStream[] = [];
    let opened = world.server.arrival('GET');
    world.server.on('GET', (heard) => void streams.push(heard.stream()));
    const session = await openSession(ana);
    const events = eventsOf(await session.get());
    await opened;
    streams[0]?.send(note(1), { id: 'server-1', retry: 10 });
    const first = await events.next();
    streams[0]?.end();
    expect(await events.next()).toBeUndefined();

    opened = world.server.arrival('GET');
    const resumed = eventsOf(await session.get({ 'last-event-id': first?.id ?? '' }));
    expect((await opened).headers['last-event-id']).toBe('server-1');
    streams[1]?.send(note(2), { id: 'server-2' });
    const second = await resumed.next();
    expect(second?.message?.params).toMatchObject({ data: 'line 2' });
    expect(second?.id).not.toBe(first?.id);
    await resumed.cancel();
  });

  test('2026-07-28: no ids, and Last-Event-ID means nothing', async () => {
    world.server.on('tools/call', (heard) => {
      const stream = heard.stream();
      stream.send(note(1), { id: 'server-1' });
      stream.send(answerTo(heard), { id: 'server-2' });
      stream.end();
    });
    const response = await modernCall(
      ana,
      'tools/call',
      { name: 'any' },
      { headers: { 'last-event-id': 'x.1' } },
    );
    const events = await eventsOf(response).rest();
    expect(events.map(({ id }) => id)).toEqual([undefined, undefined]);
  });
});
