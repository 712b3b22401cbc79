import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLog, responseEvent, scratch, TestStream } from '../../test/fixtures/record-store.ts';
import { openCheckpoint } from './checkpoint.ts';
import { StoreDamaged } from './errors.ts';
import { layout } from './layout.ts';

const HOUR = 3_600_000;

async function sizeOf(store: string, verifier: Parameters<typeof openCheckpoint>[1]): Promise<number> {
  return openCheckpoint(await readFile(layout.checkpoint(store), 'utf8'), verifier).size;
}

test('batches that wait together are stored once each, and signed for before they are acknowledged', async () => {
  await using dir = await scratch();
  const { store, signer, committer } = await openLog(dir.path);
  const [one, two] = [new TestStream('one'), new TestStream('two')];
  const batches = [
    one.next(responseEvent(0), responseEvent(1)),
    two.next(responseEvent(2)),
    one.next(responseEvent(3)),
  ];
  const verdicts = await Promise.all(batches.map((batch) => committer.commit(batch)));
  expect(verdicts.map(({ kind }) => kind)).toEqual(['accept', 'accept', 'accept']);
  expect(await sizeOf(store, signer.verifier)).toBe(4);
  await committer.close();
});

test('a store that is opened again knows its streams and goes on', async () => {
  await using dir = await scratch();
  const stream = new TestStream('one');
  const first = await openLog(dir.path, { limits: { segmentBytes: 1 } });
  const sent = stream.next(responseEvent(0), responseEvent(1));
  await first.committer.commit(sent);
  await first.committer.close();

  const again = await openLog(dir.path);
  expect(await again.committer.commit(sent)).toMatchObject({ kind: 'accept', fresh: [] });
  expect(await again.committer.commit(stream.next(responseEvent(2)))).toMatchObject({ kind: 'accept' });
  expect(again.log.size).toBe(3);
  await again.committer.close();
});

test('what was written and not signed for is cut off when the store is opened', async () => {
  await using dir = await scratch();
  const stream = new TestStream('one');
  const first = await openLog(dir.path);
  await first.committer.commit(stream.next(responseEvent(0)));
  await first.committer.close();
  const segment = layout.segment(first.store, 1);
  const signed = await readFile(segment, 'utf8');
  await appendFile(segment, signed.slice(0, 50));
  await writeFile(layout.segment(first.store, 2), signed);

  const again = await openLog(dir.path);
  expect(await readFile(segment, 'utf8')).toBe(signed);
  expect(await readdir(layout.log(first.store))).toEqual(['00000001.jsonl']);
  expect(await again.committer.commit(stream.next(responseEvent(1)))).toMatchObject({ kind: 'accept' });
  await again.committer.close();
});

test.each<[string, (segment: string) => Promise<void>]>([
  ['cut short', async (segment) => truncate(segment, (await stat(segment)).size - 1)],
  ['gone', (segment) => rm(segment)],
  [
    'changed',
    async (segment) =>
      writeFile(segment, (await readFile(segment, 'utf8')).replace('exchange-0', 'exchange-9')),
  ],
])('no recorder starts on a store whose signed records are %s', async (_, damage) => {
  await using dir = await scratch();
  const { store, committer } = await openLog(dir.path);
  await committer.commit(new TestStream('one').next(responseEvent(0), responseEvent(1)));
  await committer.close();
  await damage(layout.segment(store, 1));
  await expect(openLog(dir.path)).rejects.toThrow(StoreDamaged);
});

test('a store is not taken over with another key', async () => {
  await using dir = await scratch();
  const { committer } = await openLog(dir.path);
  await committer.close();
  await rm(join(dir.path, 'signing.pem'));
  await expect(openLog(dir.path)).rejects.toThrow(/signed with another key/);
});

test('the signing key is readable by its owner alone', async () => {
  await using dir = await scratch();
  const { committer } = await openLog(dir.path);
  await committer.close();
  expect((await stat(join(dir.path, 'signing.pem'))).mode & 0o777).toBe(0o600);
});

test('a write that fails acknowledges nothing, leaves nothing, and the next one goes through', async () => {
  await using dir = await scratch();
  const { store, signer, committer, fatal } = await openLog(dir.path, { limits: { segmentBytes: 1 } });
  const stream = new TestStream('one');
  await committer.commit(stream.next(responseEvent(0)));
  const batch = stream.next(responseEvent(1));
  // The place where the next segment would be is taken.
  await mkdir(layout.segment(store, 2));
  await expect(committer.commit(batch)).rejects.toThrow(/cannot be written/);
  expect(await sizeOf(store, signer.verifier)).toBe(1);
  await rm(layout.segment(store, 2), { recursive: true });
  expect(await committer.commit(batch)).toMatchObject({ kind: 'accept', head: { next: 2 } });
  expect(fatal).toEqual([]);
  await committer.close();
});

test('a store whose checkpoint is taken away is in doubt, and the recorder is told to end', async () => {
  await using dir = await scratch();
  const { store, committer, fatal } = await openLog(dir.path);
  const stream = new TestStream('one');
  await committer.commit(stream.next(responseEvent(0)));
  await rm(layout.checkpoint(store));
  await mkdir(layout.checkpoint(store));
  await expect(committer.commit(stream.next(responseEvent(1)))).rejects.toThrow(/cannot be written/);
  expect(fatal).toEqual([expect.any(StoreDamaged)]);
  await committer.close();
});

test('segments are closed by size and by age', async () => {
  await using dir = await scratch();
  let now = Date.now();
  const stream = new TestStream('one');
  const { store, committer } = await openLog(dir.path, {
    limits: { segmentBytes: 900, segmentAgeMs: HOUR },
    now: () => now,
  });
  for (let i = 0; i < 4; i += 1) await committer.commit(stream.next(responseEvent(i)));
  const bySize = await readdir(layout.log(store));
  expect(bySize).toEqual(['00000001.checkpoint', '00000001.jsonl', '00000002.jsonl']);
  now += HOUR;
  await committer.maintain();
  expect(await readdir(layout.log(store))).toContain('00000002.checkpoint');
  await committer.close();
});

test('segments older than the retention go, the log goes on, and opens again', async () => {
  await using dir = await scratch();
  let now = Date.now();
  const options = { limits: { segmentBytes: 1, retentionMs: HOUR }, now: () => now };
  const { store, signer, committer } = await openLog(dir.path, options);
  const stream = new TestStream('one');
  for (let i = 0; i < 3; i += 1) await committer.commit(stream.next(responseEvent(i)));
  now += 2 * HOUR;
  await committer.maintain();
  await committer.commit(stream.next(responseEvent(3)));
  await committer.maintain();
  // The third was still open until then: its age counts from when it was closed.
  const kept = ['00000003.checkpoint', '00000003.jsonl', '00000004.checkpoint', '00000004.jsonl', 'start'];
  expect(await readdir(layout.log(store))).toEqual(kept);
  expect(await sizeOf(store, signer.verifier)).toBe(4);
  await committer.close();

  const again = await openLog(dir.path, options);
  expect(await again.committer.commit(stream.next(responseEvent(4)))).toMatchObject({ kind: 'accept' });
  expect(await readdir(layout.log(store))).toContain('00000005.jsonl');
  await again.committer.close();
});

test('a segment that is not what was signed is not dropped, however old', async () => {
  await using dir = await scratch();
  let now = Date.now();
  const { store, committer } = await openLog(dir.path, {
    limits: { segmentBytes: 1, retentionMs: HOUR },
    now: () => now,
  });
  const stream = new TestStream('one');
  await committer.commit(stream.next(responseEvent(0)));
  await committer.commit(stream.next(responseEvent(1)));
  const segment = layout.segment(store, 1);
  await writeFile(segment, (await readFile(segment, 'utf8')).replace('exchange-0', 'exchange-9'));
  now += 2 * HOUR;
  await expect(committer.maintain()).rejects.toThrow(/not what was signed/);
  expect(await readdir(layout.log(store))).toContain('00000001.jsonl');
  await committer.close();
});
