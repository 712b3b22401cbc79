import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueAuthority } from '../../lib/certificates.ts';
import { BadRoots, openRoots } from './roots.ts';

const authority = (name: string): string => issueAuthority(name, { now: Date.now(), days: 1 }).cert;
const [old, next] = [authority('old'), authority('new')];

let directory: string;
let caFile: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-roots-'));
  caFile = join(directory, 'state', 'ca.crt');
});
afterEach(() => rm(directory, { recursive: true }));

test('what came with the pod is trusted until the operator says more, and what it said outlives a restart', async () => {
  const roots = await openRoots({ caFile, ca: old });
  expect(await roots.current()).toBe(old);
  await roots.take(old + next);
  expect(await roots.current()).toBe(old + next);
  expect(await (await openRoots({ caFile, ca: old })).current()).toBe(old + next);
  await roots.take(next);
  expect(await (await openRoots({ caFile, ca: old })).current()).toBe(next);
});

test.each([
  ['nothing', ''],
  ['no certificate', 'trust me'],
  ['one certificate and one that is damaged', `${old}${next.replace(/[A-Za-z]{20}/, '')}`],
])('%s is refused, and what was trusted stays trusted', async (_, said) => {
  const roots = await openRoots({ caFile, ca: old });
  await expect(roots.take(said)).rejects.toThrow(BadRoots);
  expect(await roots.current()).toBe(old);
});

test('a damaged file is written anew from what came with the pod', async () => {
  await (await openRoots({ caFile, ca: old })).take(next);
  await writeFile(caFile, next.slice(0, 100));
  expect(await (await openRoots({ caFile, ca: old })).current()).toBe(old);
});

test("a file of somebody else's is read, and never written", async () => {
  const theirs = join(directory, 'theirs.crt');
  await writeFile(theirs, old);
  const roots = await openRoots({ caFile: theirs, ca: undefined });
  await roots.take(next);
  expect(await readFile(theirs, 'utf8')).toBe(old);
  await writeFile(theirs, next);
  expect(await roots.current()).toBe(next);
});
