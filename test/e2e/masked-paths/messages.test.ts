/** Every place of what a server sends on its own: notifications, and questions before 2026-07-28. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf } from '../../fixtures/hand-client.ts';
import { plantedIn } from '../../fixtures/planted.ts';
import { toolText } from '../../fixtures/scripted-server.ts';
import { BLOB, FAMILIES, SECRET, shown, startMasked, type Masked, type Row } from './masked.ts';
import { ASKING, ASKS, SAMPLES, TASK } from './table.ts';

let masked: Masked;
beforeAll(async () => {
  masked = await startMasked();
});
afterEach(() => masked.world.server.reset());
afterAll(() => masked[Symbol.asyncDispose]());

const NOTIFIED: readonly (readonly [method: string, base: object, rows: readonly Row[]])[] = [
  [
    'notifications/message',
    { level: 'info', data: 'x' },
    [
      ['logger', 'replaced'],
      ['data', 'replaced'],
      ['data.deep[0].*', 'replaced'],
      ['level', 'withheld'],
      ['_meta.vendor', 'replaced'],
    ],
  ],
  [
    'notifications/progress',
    { progressToken: 5, progress: 1 },
    [
      ['message', 'replaced'],
      ['progressToken', 'withheld'],
    ],
  ],
  ['notifications/resources/updated', { uri: 'a:b' }, [['uri', 'withheld']]],
  [
    'notifications/cancelled',
    { requestId: 1 },
    [
      ['reason', 'replaced'],
      ['requestId', 'withheld'],
    ],
  ],
  [
    'notifications/tasks/status',
    { taskId: 't', status: 'working' },
    [
      ['statusMessage', 'replaced'],
      ['taskId', 'withheld'],
    ],
  ],
  ['notifications/tasks', ASKING, [...TASK, ['taskId', 'withheld']]],
  [
    'notifications/subscriptions/acknowledged',
    { notifications: {} },
    [
      ['notifications.resourceSubscriptions[0]', 'withheld'],
      ['notifications.taskIds[0]', 'withheld'],
      ['notifications.vendor', 'replaced'],
    ],
  ],
  ['notifications/elicitation/complete', {}, [['elicitationId', 'withheld']]],
  [
    'notifications/vendor',
    {},
    [
      ['anything[0].*', 'replaced'],
      ['deep.a', 'replaced'],
    ],
  ],
];

describe('notifications on the stream of a call', () => {
  const rows = NOTIFIED.flatMap(([method, base, paths]) =>
    paths.flatMap(([path, fate]) => FAMILIES.map((family) => [method, path, fate, family, base] as const)),
  );
  test.for(rows)('%s: %s is %s (%s)', async ([method, path, fate, family, base]) => {
    const params = plantedIn(base, path, SECRET);
    masked.world.server.on('tools/call', ({ message, stream }) => {
      const sent = stream();
      sent.send({ method, params });
      sent.send({ id: message.id, result: toolText('done') });
      sent.end();
    });
    const events = await eventsOf(await masked.ask(family, 'tools/call', { name: 'a' })).rest();
    expect(JSON.stringify(events)).not.toContain(SECRET);
    expect(events.at(-1)?.message?.result).toMatchObject(toolText('done'));
    const notified = events.filter(({ message }) => message?.method === method);
    if (fate === 'withheld') expect(notified).toEqual([]);
    else expect(notified[0]?.message?.params).toMatchObject(shown(params) as object);
  });
});

describe('what a server asks before 2026-07-28', () => {
  const asked: readonly (readonly [string, Row, object])[] = [
    ...ASKS.map((row) => ['elicitation/create', row, { mode: 'form', message: 'hi' }] as const),
    ...SAMPLES.map(
      (row) =>
        ['sampling/createMessage', row, { messages: [{ role: 'user', content: { type: 'text' } }] }] as const,
    ),
    ['roots/list', ['_meta.vendor', 'replaced'], {}],
  ];
  test.for(asked)('%s: %s', async ([method, [path, fate], base]) => {
    const params = plantedIn(base, path, SECRET, BLOB);
    const back = masked.world.server.arrival('response');
    masked.world.server.on('tools/call', async ({ message, stream }) => {
      const sent = stream();
      sent.send({ id: 'ask-1', method, params });
      if (fate === 'withheld') await back;
      sent.send({ id: message.id, result: toolText('done') });
      sent.end();
    });
    const events = await eventsOf(await masked.session.request('tools/call', { name: 'a' })).rest();
    expect(JSON.stringify(events)).not.toContain(SECRET);
    const reached = events.filter(({ message }) => message?.method === method);
    if (fate === 'replaced') expect(reached[0]?.message?.params).toMatchObject(shown(params) as object);
    else expect([reached, (await back).message]).toMatchObject([[], { id: 'ask-1', error: { code: 4403 } }]);
  });
});
