/** Results of many megabytes: whole, recorded, several at once; and one that no record can hold. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerOf, modernCall, type Way } from '../fixtures/hand-client.ts';
import { toolText } from '../fixtures/scripted-server.ts';
import { recordOf, refusalDuring } from './records.ts';
import { startWorld, statusOf, type World } from './world.ts';

const MIB = 1024 * 1024;

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld();
  ana = await world.as('ana');
});
afterAll(() => world[Symbol.asyncDispose]());

async function resultOf(text: string): Promise<Awaited<ReturnType<typeof answerOf>>> {
  world.server.on('tools/call', (heard) => heard.result(toolText(text)));
  return answerOf(await modernCall(ana, 'tools/call', { name: 'read' }));
}

test('just below the limit of 16 MiB it comes whole and is recorded', { timeout: 120_000 }, async () => {
  const text = 'a line of a file, and the next\n'.repeat(Math.floor((15 * MIB) / 32));
  expect((await resultOf(text)).result).toMatchObject(toolText(text));
  const recorded = async (): Promise<boolean> =>
    (await recordOf(world.gatehouse)).some(
      ({ type, event }) => type === 'response' && String(event['message']).length > text.length,
    );
  await expect.poll(recorded, { timeout: 60_000, interval: 500 }).toBe(true);
});

test('eight at once leave the proxy alive', { timeout: 120_000 }, async () => {
  const text = 'x'.repeat(8 * MIB);
  const answers = await Promise.all(Array.from({ length: 8 }, () => resultOf(text)));
  for (const answer of answers) expect(answer.result).toMatchObject(toolText(text));
  expect((await statusOf(world.gatehouse)).processes).toMatchObject([{ restarts: 0 }, { restarts: 0 }]);
});

test('one that is too large as a record is withheld with the reason', { timeout: 120_000 }, async () => {
  await refusalDuring(world.gatehouse, /withheld/, async () => {
    const { error } = await resultOf('"'.repeat(5 * MIB));
    expect(error?.message).toMatch(
      /was withheld: it takes \d+ bytes as a record, which has at most 16777216\.$/,
    );
  });
  expect((await resultOf('small')).result).toMatchObject(toolText('small'));
});
