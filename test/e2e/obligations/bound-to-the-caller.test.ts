import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { answerOf, messageOf, modernCall, openSession, type Way } from '../../fixtures/hand-client.ts';
import { toolText } from '../../fixtures/scripted-server.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let ana: Way;
let bo: Way;
const hiddenFromBo = [
  { users: ['ana'], tools: ['*'], prompts: ['*'], resources: ['*'] },
  { users: ['bo'], tools: ['shared'], resources: ['x://shared'] },
];
beforeAll(async () => {
  world = await startWorld({ spec: { access: hiddenFromBo }, server: { mayAsk: ['Roots'] } });
  [ana, bo] = [await world.as('ana'), await world.as('bo')];
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

describe('tasks', () => {
  test('2025-11-25: the task is for the caller who made it', async () => {
    world.server.on('tools/call', (heard) =>
      heard.result({ task: { taskId: 'task-25', status: 'working' } }),
    );
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel'])
      world.server.on(method, (heard) => heard.result({ taskId: 'task-25', status: 'completed' }));
    const [mine, theirs] = [await openSession(ana), await openSession(bo)];
    await mine.request('tools/call', { name: 'shared', task: { ttl: 1000 } });
    const forwarded = world.server.heard.length;
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const stolen = await answerOf(await theirs.request(method, { taskId: 'task-25' }));
      expect(stolen.error, method).toMatchObject({ code: -32602, message: 'Unknown task.' });
    }
    expect(world.server.heard).toHaveLength(forwarded);
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel'])
      expect(
        (await answerOf(await mine.request(method, { taskId: 'task-25' }))).result,
        method,
      ).toBeDefined();
  });

  test('2026-07-28: the same for the extension', async () => {
    world.server.on('tools/call', (heard) =>
      heard.result({ resultType: 'task', taskId: 'task-26', status: 'working', pollIntervalMs: 10 }),
    );
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
      world.server.on(method, (heard) => heard.result({ resultType: 'complete', taskId: 'task-26' }));
    await modernCall(ana, 'tools/call', { name: 'shared' });
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const params = { taskId: 'task-26' };
      expect((await messageOf(await modernCall(bo, method, params))).error?.code, method).toBe(-32602);
      expect((await messageOf(await modernCall(ana, method, params))).result, method).toBeDefined();
    }
    expect((await messageOf(await modernCall(ana, 'tasks/get', { taskId: 'never' }))).error?.code).toBe(
      -32602,
    );
  });
});

test('MRTR: what the server asks and remembers goes through the client, sealed, and back as it was', async () => {
  const state = '{"step":1,"n":9007199254740993}';
  world.server.on('tools/call', (heard) =>
    heard.message.params?.['requestState'] === undefined
      ? heard.result({
          resultType: 'input_required',
          requestState: state,
          inputRequests: { ok: { method: 'roots/list' } },
        })
      : heard.result(toolText('done')),
  );
  const first = await messageOf(await modernCall(ana, 'tools/call', { name: 'a' }));
  const sealed = z.string().parse(first.result?.['requestState']);
  expect(sealed).not.toContain('step');
  expect(first.result?.['inputRequests']).toEqual({ ok: { method: 'roots/list' } });

  const again = { name: 'a', requestState: sealed, inputResponses: { ok: { roots: [] } } };
  const stolen = await messageOf(await modernCall(bo, 'tools/call', { ...again, name: 'shared' }));
  const changed = await messageOf(
    await modernCall(ana, 'tools/call', { ...again, arguments: { more: true } }),
  );
  expect([stolen.error?.code, changed.error?.code]).toEqual([-32602, -32602]);
  const done = await messageOf(await modernCall(ana, 'tools/call', again));
  expect(done.result).toMatchObject(toolText('done'));
  expect(world.server.heard.at(-1)?.message.params).toMatchObject({
    requestState: state,
    inputResponses: { ok: {} },
  });
});
