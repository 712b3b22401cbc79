/** Every place of what a server says of a task, to the caller who made it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { plantedIn } from '../../fixtures/planted.ts';
import { BLOB, FAMILIES, SECRET, shown, startMasked, WITHHELD, type Family, type Masked } from './masked.ts';
import { ASKING, at, complete, CONTENT, META, rowsOf, TASK, TASK_STATE, type Exchange } from './table.ts';

const TASK_ID = ASKING.taskId;
const MADE: Readonly<Record<Family, object>> = {
  legacy: { task: { taskId: TASK_ID, status: 'working' } },
  modern: { resultType: 'task', taskId: TASK_ID, status: 'working', pollIntervalMs: 10 },
};
const STATE = { ...complete, ...ASKING };
const SAID: readonly Exchange[] = [
  { method: 'tasks/get', result: STATE, rows: [...TASK, ...META] },
  { method: 'tasks/cancel', result: STATE, rows: [...TASK, ...META] },
  { method: 'tasks/update', result: STATE, rows: TASK, only: 'modern' },
  {
    method: 'tasks/result',
    result: { content: [{ type: 'text', text: 'hi' }] },
    rows: at('content[0]', CONTENT),
    only: 'legacy',
  },
  {
    method: 'tasks/list',
    result: { tasks: [{ taskId: TASK_ID, status: 'working' }] },
    rows: at('tasks[0]', TASK_STATE),
    only: 'legacy',
  },
];

let masked: Masked;
beforeAll(async () => {
  masked = await startMasked();
  for (const family of FAMILIES) {
    masked.world.server.on('tools/call', (heard) => heard.result(MADE[family]));
    await masked.ask(family, 'tools/call', {
      name: 'a',
      ...(family === 'legacy' && { task: { ttl: 60_000 } }),
    });
  }
});
afterEach(() => masked.world.server.reset());
afterAll(() => masked[Symbol.asyncDispose]());

const answered = z.object({
  result: z.looseObject({}).optional(),
  error: z.object({ message: z.string() }).optional(),
});

test.for(rowsOf(SAID))('%s: %s is %s (%s)', async ([method, path, fate, family, { result }]) => {
  const sent = plantedIn(result, path, SECRET, BLOB);
  masked.world.server.on(method, (heard) => heard.result(sent));
  const body = await (await masked.ask(family, method, { taskId: TASK_ID })).text();
  expect(masked.world.server.heard.at(-1)?.message.method).toBe(method);
  expect(body).not.toContain(SECRET);
  const answer = answered.parse(JSON.parse(body));
  if (fate === 'withheld') expect(answer.error?.message ?? '').toMatch(WITHHELD);
  else expect(answer.result).toMatchObject(shown(sent) as object);
});
