import { setTimeout as delay } from 'node:timers/promises';
import { gatehouse } from '../command.ts';
import { say, show, told } from '../narrator.ts';
import type { Cast } from '../cast.ts';

export const DELETE = 'DELETE FROM orders WHERE id = 1003';
const PATIENCE_MS = 15_000;

export async function approval({ parts, ana, bo }: Cast): Promise<void> {
  say(DELETE);
  const deleting = ana.call('query', { sql: DELETE });
  // Awaited at the end; when the story ends early, that it was cut off is no news.
  deleting.catch(() => undefined);
  const as = (file: string): string[] => ['--admin', parts.admin, '--token', file];
  const list = await pending(as(bo.tokenFile));
  say('The call waits. What Bo sees:');
  show(list.output);
  told(parts.executed(DELETE) === 0, 'nothing has run', 'the server executed it');

  say('Support may approve as well, so Ana tries to approve it herself:');
  const own = await gatehouse('approvals', 'approve', list.id, ...as(ana.tokenFile));
  show(own.output);
  told(own.code !== 0 && parts.executed(DELETE) === 0, 'she may not', own.output);

  await untilAskedAgain(ana.lastSent);
  say('Bo approves it:');
  const decided = await gatehouse(
    'approvals',
    'approve',
    list.id,
    '--comment',
    'ticket 4711',
    ...as(bo.tokenFile),
  );
  show(decided.output);
  told(decided.code === 0, 'Bo may', decided.output);
  const { text, isError } = await deleting;
  say("Ana's call, which waited all the while, comes back:");
  show(text);
  told(!isError && text.includes('"affected":1'), 'one row was deleted', text);
  told(parts.executed(DELETE) === 1, 'it ran once', `${parts.executed(DELETE)} times`);
}

/** What somebody finds who lists what waits, once it waits. */
export async function pending(as: readonly string[]): Promise<{ id: string; output: string }> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { output } = await gatehouse('approvals', 'list', ...as);
    const id = /^(\S+).*\bPending\b/m.exec(output)?.[1];
    if (id !== undefined) return { id, output };
    told(performance.now() < deadline, 'the call waits for approval', output);
    await delay(200);
  }
}

/** MCP 2026-07-28: the client is sent round with a sealed requestState while it waits. That is what is replayed later. */
async function untilAskedAgain(lastSent: () => { body: string }): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!lastSent().body.includes('"requestState"')) {
    told(performance.now() < deadline, 'the client is sent round with a requestState', lastSent().body);
    await delay(50);
  }
}
