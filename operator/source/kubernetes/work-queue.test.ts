import { expect, test } from 'vitest';
import { silentLogger } from '../../../lib/log.ts';
import { manualClock } from '../../../test/fixtures/manual-clock.ts';
import { startWorkQueue, type WorkQueue } from './work-queue.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function queueOf(work: (key: string) => Promise<void>, parallel = 1) {
  const clock = manualClock();
  const queue: WorkQueue = startWorkQueue(
    { work, parallel, firstBackoffMs: 100, mostBackoffMs: 1_000 },
    { clock, log: silentLogger(), random: () => 1 },
  );
  return { clock, queue };
}

test('a key that is due twice is done once, and once more when it was added while it ran', async () => {
  const done: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const { queue } = queueOf(async (key) => {
    done.push(key);
    if (done.length === 1) await gate.promise;
  });
  for (const key of ['a', 'a', 'b', 'a']) queue.add(key);
  await turn();
  for (const key of ['a', 'a', 'b']) queue.add(key);
  gate.resolve(undefined);
  await turn();
  expect(done).toEqual(['a', 'b', 'a']);
  await queue.stop();
});

test('no key is done twice at a time, and no more keys than allowed', async () => {
  const running = new Set<string>();
  let most = 0;
  const { queue } = queueOf(async (key) => {
    expect(running.has(key)).toBe(false);
    running.add(key);
    most = Math.max(most, running.size);
    await turn();
    running.delete(key);
  }, 2);
  for (let round = 0; round < 5; round += 1) {
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await turn();
  }
  await queue.stop();
  expect(most).toBe(2);
});

test('a failure comes back later and later, and is forgotten after a success', async () => {
  let attempts = 0;
  const { queue, clock } = queueOf(() => {
    attempts += 1;
    return attempts === 4 ? Promise.resolve() : Promise.reject(new Error('no'));
  });
  queue.add('a');
  await turn();
  for (const [ms, expected] of [
    [99, 1],
    [1, 2],
    [199, 2],
    [1, 3],
    [400, 4],
    [10_000, 4],
  ] as const) {
    clock.advance(ms);
    await turn();
    expect(attempts).toBe(expected);
  }
  await queue.stop();
});

test('what is asked for does not wait for the pause of an old failure, and is done once', async () => {
  let attempts = 0;
  const { queue, clock } = queueOf(() => {
    attempts += 1;
    return attempts === 1 ? Promise.reject(new Error('no')) : Promise.resolve();
  });
  queue.add('a');
  await turn();
  queue.add('a');
  await turn();
  clock.advance(10_000);
  await turn();
  expect(attempts).toBe(2);
  await queue.stop();
});

test('stopping waits for what runs and begins nothing', async () => {
  const done: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const { queue } = queueOf(async (key) => {
    await gate.promise;
    done.push(key);
  });
  queue.add('a');
  queue.add('b');
  await turn();
  const stopped = queue.stop();
  gate.resolve(undefined);
  await stopped;
  queue.add('c');
  await turn();
  expect(done).toEqual(['a']);
});
