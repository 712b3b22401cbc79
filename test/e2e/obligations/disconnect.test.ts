import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, eventsOf, modernCall, openSession, type Way } from '../../fixtures/hand-client.ts';
import { toolText } from '../../fixtures/scripted-server.ts';
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

describe('client disconnect', () => {
  test('2025: is no cancellation; the answer is there for the client that comes back', async () => {
    const session = await openSession(ana);
    const { heard, stream, response } = await streamedCall(world, session);
    let cut = false;
    void heard.hungUp.then(() => (cut = true));
    const events = eventsOf(response);
    stream.send(note(1));
    const first = await events.next();
    await events.cancel();
    await session.send({ method: 'notifications/initialized' });
    expect(cut).toBe(false);
    stream.send(answerTo(heard, 'late'));
    stream.end();
    const resumed = await session.get({ 'last-event-id': first?.id ?? '' });
    expect((await answerOf(resumed)).result).toMatchObject(toolText('late'));
  });

  test('2026-07-28: is cancellation; the request to the server is given up', async () => {
    const hangUp = new AbortController();
    const arrived = world.server.arrival('tools/call');
    world.server.on('tools/call', () => undefined);
    const call = modernCall(ana, 'tools/call', { name: 'slow' }, { signal: hangUp.signal });
    const { hungUp } = await arrived;
    hangUp.abort();
    await expect(call).rejects.toThrow();
    await hungUp;
  });

  test('2026-07-28: in the middle of a stream too', async () => {
    const arrived = world.server.arrival('tools/call');
    world.server.on('tools/call', (heard) => heard.stream().send(note(1)));
    const events = eventsOf(await modernCall(ana, 'tools/call', { name: 'slow' }));
    await events.next();
    await events.cancel();
    await (
      await arrived
    ).hungUp;
  });
});
