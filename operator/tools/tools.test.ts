import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MAX_TOOLS } from '../../crds/gateway-tools.ts';
import { openDirectoryToolMemory } from './directory-memory.ts';
import { withSeen } from './known.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const one = { name: 'query', digest: digest('1') };
const two = { name: 'query', digest: digest('2') };

test('the first definition stays, a later one is noted, and going back clears the note', () => {
  const first = withSeen([], [one]);
  expect(first).toEqual([one]);
  expect(withSeen(first, [one])).toBe(first);
  const changed = withSeen(first, [two]);
  expect(changed).toEqual([{ ...one, seen: two.digest }]);
  expect(withSeen(changed, [two])).toBe(changed);
  expect(withSeen(changed, [one])).toEqual([one]);
});

test('there is room for so many tools, and those that are known keep being noted', () => {
  const many = Array.from({ length: MAX_TOOLS + 5 }, (_, index) => ({
    name: `t${index}`,
    digest: digest('1'),
  }));
  const known = withSeen([], many);
  expect(known).toHaveLength(MAX_TOOLS);
  expect(withSeen(known, [{ name: 't0', digest: digest('2') }])[0]).toMatchObject({ seen: digest('2') });
});

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-tools-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'tools.json');
}

test('two proxies that see different definitions at once leave one as the first', async () => {
  const path = await place();
  const memory = await openDirectoryToolMemory(path);
  expect(await Promise.all([memory.note('tools/orders', [one]), memory.note('tools/orders', [two])])).toEqual(
    [true, true],
  );
  expect(memory.of('tools/orders')).toEqual([{ ...one, seen: two.digest }]);
  expect(memory.of('tools/other')).toEqual([]);
  expect((await openDirectoryToolMemory(path)).of('tools/orders')).toEqual(memory.of('tools/orders'));
});

test('a damaged file is a reason not to start, not to begin anew', async () => {
  const path = await place();
  const memory = await openDirectoryToolMemory(path);
  await memory.note('tools/orders', [one]);
  await writeFile(path, (await readFile(path, 'utf8')).slice(0, -5));
  await expect(openDirectoryToolMemory(path)).rejects.toThrow(/is damaged; restore it, or remove it/);
});
