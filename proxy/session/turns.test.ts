import { expect, test } from 'vitest';
import { manualClock } from '../../test/fixtures/manual-clock.ts';
import { Refusal } from '../refusal.ts';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

function enterAll(turns: Turns, sessions: readonly string[]): { entered: string[]; leave: (() => void)[] } {
  const entered: string[] = [];
  const leave: (() => void)[] = [];
  for (const session of sessions)
    void turns.enter(session, never).then((end) => {
      entered.push(session);
      leave.push(end);
    });
  return { entered, leave };
}

/** Lets everything that is settled be heard of. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

test('calls of one session are at the server together, another session’s wait until all have ended', async () => {
  const turns = new Turns(manualClock());
  const { entered, leave } = enterAll(turns, ['ana', 'bo', 'ana', 'bo']);
  await settled();
  expect(entered).toEqual(['ana', 'ana']);
  leave[0]?.();
  await settled();
  expect(entered).toEqual(['ana', 'ana']);
  leave[1]?.();
  await settled();
  expect(entered).toEqual(['ana', 'ana', 'bo', 'bo']);
});

test('a call that ends twice ends once', async () => {
  const turns = new Turns(manualClock());
  const { entered, leave } = enterAll(turns, ['ana', 'ana', 'bo']);
  await settled();
  leave[0]?.();
  leave[0]?.();
  await settled();
  expect(entered).toEqual(['ana', 'ana']);
});

test('who has waited long is not overtaken by new calls of the session at work', async () => {
  const clock = manualClock();
  const turns = new Turns(clock);
  const first = enterAll(turns, ['ana', 'bo']);
  await settled();
  clock.advance(10_000);
  const second = enterAll(turns, ['ana']);
  await settled();
  expect(second.entered).toEqual([]);
  first.leave[0]?.();
  await settled();
  expect(first.entered).toEqual(['ana', 'bo']);
  expect(second.entered).toEqual([]);
  first.leave[1]?.();
  await settled();
  expect(second.entered).toEqual(['ana']);
});

test('a wait ends with a sentence when it is too long, and leaves no place behind', async () => {
  const clock = manualClock();
  const turns = new Turns(clock);
  const { leave } = enterAll(turns, ['ana']);
  await settled();
  const waiting = turns.enter('bo', never);
  clock.advance(60_000);
  await expect(waiting).rejects.toMatchObject({ code: 'turn_unavailable' });
  leave[0]?.();
  const { entered } = enterAll(turns, ['cy']);
  await settled();
  expect(entered).toEqual(['cy']);
});

test('a caller who hangs up waits no longer', async () => {
  const turns = new Turns(manualClock());
  const { leave } = enterAll(turns, ['ana']);
  await settled();
  const gone = new AbortController();
  const waiting = turns.enter('bo', gone.signal);
  const why = new Refusal('client_gone', 'The client hung up.');
  gone.abort(why);
  await expect(waiting).rejects.toBe(why);
  leave[0]?.();
  await settled();
  const { entered } = enterAll(turns, ['cy']);
  await settled();
  expect(entered).toEqual(['cy']);
});

test('more than a thousand do not wait', async () => {
  const turns = new Turns(manualClock());
  enterAll(turns, ['ana']);
  enterAll(
    turns,
    Array.from({ length: 1_000 }, (_, index) => `s${index}`),
  );
  await expect(turns.enter('late', never)).rejects.toMatchObject({ code: 'turn_unavailable', status: 503 });
});
