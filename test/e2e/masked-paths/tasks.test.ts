/** Every place of what a server says of a task, to the caller who made it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { plantedIn } from '../../fixtures/planted.ts';
import { BLOB, FAMILIES, SECRET, shown, startMasked, type Family, type Masked, type Row } from './masked.ts';
import { ASKING, complete, CONTENT, META, TASK } from './table.ts';

const TASK_ID = ASKING.taskId;
const MADE: Readonly<Record<Family, object>> = {
  legacy: { task: { taskId: TASK_ID, status: 'working' } },
  modern: { resultType: 'task', taskId: TASK_ID, status: 'working', pollIntervalMs: 10 },
};
const STATE = { ...complete, ...ASKING };
const inLists = TASK.filter(([path]) =>
  ['statusMessage', 'status', 'createdAt', '_meta.vendor'].includes(path),
);

interface Said {
  readonly method: string;
  readonly result: object;
  readonly rows: readonly Row[];
  readonly families: readonly Family[];
}
const SAID: readonly Said[] = [
  { method: 'tasks/get', result: STATE, rows: [...TASK, ...META], families: FAMILIES },
  { method: 'tasks/cancel', result: STATE, rows: [...TASK, ...META], families: FAMILIES },
  { method: 'tasks/update', result: STATE, rows: TASK, families: ['modern'] },
  {
    method: 'tasks/result',
    result: { content: [{ type: 'text', text: 'hi' }] },
    rows: CONTENT.map(([path, fate]) => [`content[0].${path}`, fate] as const),
    families: ['legacy'],
  },
  {
    method: 'tasks/list',
    result: { tasks: [{ taskId: TASK_ID, status: 'working' }] },
    rows: inLists.map(([path, fate]) => [`tasks[0].${path}`, fate] as const),
    families: ['legacy'],
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

const rows = SAID.flatMap(({ method, result, rows: paths, families }) =>
  paths.flatMap(([path, fate]) => families.map((family) => [method, path, fate, family, result] as const)),
);
test.for(rows)('%s: %s is %s (%s)', async ([method, path, fate, family, result]) => {
  const sent = plantedIn(result, path, SECRET, BLOB);
  masked.world.server.on(method, (heard) => heard.result(sent));
  const body = await (await masked.ask(family, method, { taskId: TASK_ID })).text();
  expect(masked.world.server.heard.at(-1)?.message.method).toBe(method);
  expect(body).not.toContain(SECRET);
  const answer = answered.parse(JSON.parse(body));
  if (fate === 'withheld') expect(answer.error?.message ?? '').toMatch(/^The result was withheld: [^]*\.$/);
  else expect(answer.result).toMatchObject(shown(sent) as object);
});
