/** What the recorder has written so far. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Gatehouse } from '../fixtures/gatehouse.ts';

const line = z.object({ record: z.object({ event: z.looseObject({ type: z.string() }) }) });

export interface Entry {
  readonly type: string;
  readonly event: Readonly<Record<string, unknown>>;
}

export function storeOf({ directory }: Pick<Gatehouse, 'directory'>): string {
  return join(directory, '.gatehouse/records');
}

/** Every event, in the order of the log. */
export async function recordOf(gatehouse: Pick<Gatehouse, 'directory'>): Promise<Entry[]> {
  const log = join(storeOf(gatehouse), 'log');
  const entries: Entry[] = [];
  for (const name of (await readdir(log)).filter((file) => file.endsWith('.jsonl')).sort()) {
    const lines = (await readFile(join(log, name), 'utf8')).split('\n');
    // What stands behind the last line break is being written.
    for (const text of lines.slice(0, -1)) {
      const { event } = line.parse(JSON.parse(text)).record;
      entries.push({ type: event.type, event });
    }
  }
  return entries;
}

/** Runs `act` and waits until the record has a new refusal of such a code. */
export async function refusalDuring(
  gatehouse: Pick<Gatehouse, 'directory'>,
  code: RegExp,
  act: () => Promise<void>,
): Promise<void> {
  const before = (await recordOf(gatehouse)).length;
  await act();
  const gained = async (): Promise<Entry | undefined> =>
    (await recordOf(gatehouse))
      .slice(before)
      .find(({ type, event }) => type === 'refusal' && code.test(String(event['code'])));
  await expect.poll(gained, { timeout: 10_000 }).toBeDefined();
}
