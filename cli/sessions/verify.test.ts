import { copyFile, cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeEntry } from '../../operator/record/entry.ts';
import { layout } from '../../operator/record/layout.ts';
import type { NoteVerifier } from '../../operator/record/note.ts';
import {
  openLog,
  responseEvent,
  type Scratch,
  scratch,
  TestStream,
} from '../../test/fixtures/record-store.ts';
import { RecordFault } from './fault.ts';
import { verifyStore } from './verify.ts';

/** Five records of two streams and writers in three segments, the last of them open: 0 1 | 2 3 | 4. */
let original: Scratch;
let key: NoteVerifier;

beforeAll(async () => {
  original = await scratch();
  const { committer, signer } = await openLog(original.path, { limits: { segmentBytes: 500 } });
  const [one, two] = [new TestStream('one'), new TestStream('two', 'another')];
  for (let n = 0; n < 5; n += 1) {
    const [stream, session] = n % 2 === 0 ? [one, `session-${n / 2}`] : [two, 'session-of-two'];
    await committer.commit(stream.next(responseEvent(n, session)));
  }
  await committer.close();
  key = signer.verifier;
});

afterAll(async () => {
  await original[Symbol.asyncDispose]();
});

const verify = (store: string, more: { key?: NoteVerifier; expectSize?: number } = {}) =>
  verifyStore({ store, key: more.key, expectSize: more.expectSize, signingMs: 0 });

/** What is found wrong with a copy of the store after `change`. */
async function faultAfter(
  change: (store: string) => Promise<unknown>,
  more: { key?: NoteVerifier; expectSize?: number } = {},
): Promise<string> {
  await using dir = await scratch();
  const store = join(dir.path, 'store');
  await cp(join(original.path, 'store'), store, { recursive: true });
  await change(store);
  return await verify(store, more).then(
    () => 'nothing',
    (error: unknown) => {
      if (error instanceof RecordFault) return error.message;
      throw error;
    },
  );
}

async function editLines(path: string, edit: (lines: string[]) => string[]): Promise<void> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  await writeFile(
    path,
    edit(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

test('a store as it was written verifies, with its own key and with the pinned one', async () => {
  const store = join(original.path, 'store');
  expect(await readdir(layout.log(store))).toHaveLength(5);
  expect(await verify(store)).toEqual({ records: 5, streams: 2, size: 5, key: key.vkey, pinned: false });
  expect(await verify(store, { key, expectSize: 5 })).toMatchObject({ records: 5, pinned: true });
});

test(
  'every change of a single byte, anywhere in the store, is found, and a changed record is named',
  { timeout: 180_000 },
  async () => {
    await using dir = await scratch();
    const store = join(dir.path, 'store');
    await cp(join(original.path, 'store'), store, { recursive: true });
    const names = (await readdir(store, { recursive: true, withFileTypes: true })).filter((each) =>
      each.isFile(),
    );
    let flips = 0;
    for (const { parentPath, name } of names) {
      const path = join(parentPath, name);
      const bytes = await readFile(path);
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        // Each bit in turn: case, a neighbouring digit, a newline made and one undone.
        changed[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        await writeFile(path, changed);
        const line = bytes.subarray(0, at).toString('latin1').split('\n').length;
        const place = name.endsWith('.jsonl') ? `log/${name} line ${line}` : name;
        const fault = await verify(store).then(
          () => `nothing at byte ${at} of ${name}`,
          (error: unknown) => (error instanceof RecordFault ? error.message : String(error)),
        );
        expect(fault).toContain(place);
        flips += 1;
      }
      await writeFile(path, bytes);
    }
    expect(flips).toBeGreaterThan(2500);
    expect(await verify(store)).toMatchObject({ records: 5 });
  },
);

test('a changed record is named with its stream, number and session', async () => {
  const fault = await faultAfter((store) =>
    editLines(layout.segment(store, 2), (lines) =>
      lines.map((line) => line.replace('exchange-2', 'exchange-9')),
    ),
  );
  expect(fault).toMatch(
    /^log\/00000002\.jsonl line 1, stream one, seq 1, session session-1: its hash does not fit/,
  );
});

test('a changed record whose own hash was made to fit is found at the end of its segment', async () => {
  const fault = await faultAfter((store) =>
    editLines(layout.segment(store, 1), ([first = '', ...rest]) => [rehashed(first), ...rest]),
  );
  expect(fault).toMatch(/^log\/00000001\.jsonl: its 2 records fit together, but are not those/);
});

test('a changed record whose own hash was made to fit is found by the one that follows it', async () => {
  await using dir = await scratch();
  const { committer, store } = await openLog(dir.path);
  await committer.commit(new TestStream('one').next(responseEvent(0), responseEvent(1)));
  await committer.close();
  await editLines(layout.segment(store, 1), ([first = '', ...rest]) => [rehashed(first), ...rest]);
  await expect(verify(store)).rejects.toThrow(
    /line 2, stream one, seq 1, .*does not name the hash of the record before it .*line 1/,
  );
});

test('the last record of a stream, changed and its hash made to fit, is found by the root', async () => {
  const fault = await faultAfter((store) =>
    editLines(layout.segment(store, 3), ([line = '']) => [rehashed(line)]),
  );
  expect(fault).toMatch(/^log\/00000003\.jsonl: .*not those that were signed for/);
});

test('a deleted line is named by the one that misses it, or by its segment', async () => {
  const first = await faultAfter((store) =>
    editLines(layout.segment(store, 1), (lines) => lines.slice(0, 0)),
  );
  expect(first).toMatch(/log\/00000001\.jsonl: 2 of its records are missing/);
  const between = await faultAfter((store) => editLines(layout.segment(store, 2), (lines) => lines.slice(1)));
  expect(between).toMatch(/log\/00000002\.jsonl: 1 of its records are missing/);
  await using dir = await scratch();
  const { committer, store } = await openLog(dir.path);
  await committer.commit(new TestStream('one').next(responseEvent(0), responseEvent(1), responseEvent(2)));
  await committer.close();
  await editLines(layout.segment(store, 1), (lines) => lines.toSpliced(1, 1));
  await expect(verify(store)).rejects.toThrow(
    /line 2, stream one, seq 2, .*1 records of its stream are missing between/,
  );
});

test('a tail that was cut off is found', async () => {
  const fault = await faultAfter(async (store) => {
    const last = (await segmentsOf(store)).at(-1) ?? 0;
    await editLines(layout.segment(store, last), (lines) => lines.slice(0, -1));
  });
  expect(fault).toMatch(/the last 1 of the 5 records that were signed for are missing/);
});

test('a line that is cut short is found', async () => {
  const fault = await faultAfter(async (store) => {
    const path = layout.segment(store, (await segmentsOf(store)).at(-1) ?? 0);
    await truncate(path, (await readFile(path)).length - 1);
  });
  expect(fault).toMatch(/it was cut short/);
});

test('records that changed places are found', async () => {
  await using dir = await scratch();
  const { committer, store } = await openLog(dir.path);
  await committer.commit(new TestStream('one').next(responseEvent(0), responseEvent(1)));
  await committer.close();
  await editLines(layout.segment(store, 1), (lines) => lines.toReversed());
  await expect(verify(store)).rejects.toThrow(/line 1, stream one, seq 1, .*1 records before it are missing/);
});

test('records of different streams that changed places are found by the root', async () => {
  const fault = await faultAfter((store) =>
    editLines(layout.segment(store, 1), ([first = '', second = '', ...rest]) => [second, first, ...rest]),
  );
  expect(fault).toMatch(/log\/00000001\.jsonl: its 2 records fit together, but/);
});

test('a doubled record is found', async () => {
  const fault = await faultAfter((store) =>
    editLines(layout.segment(store, 1), ([first = '', ...rest]) => [first, first, ...rest]),
  );
  expect(fault).toMatch(/line 2, stream one, seq 0, .*out of order or doubled/);
});

test('segments that changed places are found', async () => {
  const fault = await faultAfter(async (store) => {
    await rename(layout.segment(store, 1), join(store, 'aside'));
    await rename(layout.segment(store, 2), layout.segment(store, 1));
    await rename(join(store, 'aside'), layout.segment(store, 2));
  });
  expect(fault).toMatch(/log\/00000001\.jsonl line 1, .*records before it are missing/);
});

test.each([
  [
    'the first segment',
    (store: string) => rm(layout.segment(store, 1)),
    /00000001\.jsonl: the segment is missing/,
  ],
  [
    'a segment between',
    (store: string) => rm(layout.segment(store, 2)),
    /00000002\.jsonl: the segment is missing/,
  ],
  [
    'the end of a segment',
    (store: string) => rm(layout.segmentCheckpoint(store, 1)),
    /00000001\.checkpoint: it is missing/,
  ],
  ['the checkpoint', (store: string) => rm(layout.checkpoint(store)), /^checkpoint: it is missing/],
  ['the key', (store: string) => rm(layout.key(store)), /^key\.pub: it is missing/],
])('%s that is gone is found', async (_, change, fault) => {
  expect(await faultAfter(change)).toMatch(fault);
});

/** Adds a record whose chain and hash fit, and which nobody signed for. */
async function addForged(store: string): Promise<string> {
  const [forged] = new TestStream('forged', 'proxy').next(responseEvent(99)).lines;
  if (forged === undefined) throw new Error('there is no line');
  const last = layout.segment(store, (await segmentsOf(store)).at(-1) ?? 0);
  await writeFile(last, Buffer.concat([encodeEntry('proxy', forged.bytes), Buffer.from('\n')]), {
    flag: 'a',
  });
  return last;
}

test('a record that was added is found, though its chain and hash fit', async () => {
  expect(await faultAfter(addForged)).toMatch(
    /stream forged, seq 0, session session-1: the checkpoint is signed for 5 records and this is one more/,
  );
});

test('an older checkpoint does not fit the records', async () => {
  const fault = await faultAfter((store) =>
    copyFile(layout.segmentCheckpoint(store, 1), layout.checkpoint(store)),
  );
  expect(fault).toMatch(/this is one more: it was added, or the checkpoint is an older one/);
});

test('a whole store that is put back needs a size from outside to be told', async () => {
  const putBack = async (store: string) => {
    const numbers = await segmentsOf(store);
    for (const number of numbers.filter((each) => each > 1)) {
      await rm(layout.segment(store, number));
      await rm(layout.segmentCheckpoint(store, number), { force: true });
    }
    await copyFile(layout.segmentCheckpoint(store, 1), layout.checkpoint(store));
  };
  expect(await faultAfter(putBack)).toBe('nothing');
  expect(await faultAfter(putBack, { expectSize: 5 })).toMatch(/5 were expected: the store was put back/);
});

test('a store that was written anew with another key does not pass for the pinned one', async () => {
  await using other = await scratch();
  const { committer, store } = await openLog(other.path);
  await committer.commit(new TestStream('one').next(responseEvent(0)));
  await committer.close();
  expect(await verify(store)).toMatchObject({ records: 1, pinned: false });
  await expect(verify(store, { key })).rejects.toThrow(/key\.pub: it is not the key that was given/);
  await rm(layout.key(store));
  await expect(verify(store, { key })).rejects.toThrow(/checkpoint: It is not signed by the key/);
});

test('a store verifies while a recorder writes to it', async () => {
  await using dir = await scratch();
  const { committer, store } = await openLog(dir.path, { limits: { segmentBytes: 2000 } });
  const stream = new TestStream('one');
  const stop = new AbortController();
  const writing = (async () => {
    for (let i = 0; !stop.signal.aborted; i += 1) await committer.commit(stream.next(responseEvent(i)));
  })();
  try {
    for (let seen = 0; seen < 300;) {
      const { records, size } = await verifyStore({ store, key: undefined, expectSize: undefined });
      expect(records).toBe(size);
      expect(size).toBeGreaterThanOrEqual(seen);
      seen = size;
    }
  } finally {
    stop.abort();
    await writing;
    await committer.close();
  }
});

test('what a recorder writes and takes back, because its disk takes no more, belongs to nothing', async () => {
  await using dir = await scratch();
  const store = join(dir.path, 'store');
  await cp(join(original.path, 'store'), store, { recursive: true });
  const last = layout.segment(store, (await segmentsOf(store)).at(-1) ?? 0);
  const signed = await readFile(last);
  await addForged(store);
  const verifying = verifyStore({ store, key: undefined, expectSize: undefined });
  await sleep(250);
  await truncate(last, signed.length);
  expect(await verifying).toMatchObject({ records: 5, size: 5 });
});

test('what is kept verifies after the oldest was dropped for its age, and only then', async () => {
  await using dir = await scratch();
  let now = Date.now();
  const limits = { segmentBytes: 1, retentionMs: 1000 };
  const { committer, store } = await openLog(dir.path, { limits, now: () => now });
  const stream = new TestStream('one');
  for (let i = 0; i < 3; i += 1) await committer.commit(stream.next(responseEvent(i)));
  now += 5000;
  await committer.maintain();
  await committer.close();
  expect(await verify(store)).toMatchObject({ records: 1, size: 3 });

  const start = await readFile(layout.start(store), 'utf8');
  await writeFile(layout.start(store), start.replace('first-segment 3', 'first-segment 4'));
  await expect(verify(store)).rejects.toThrow(/log\/start: Its signature/);
  await rm(layout.start(store));
  await expect(verify(store)).rejects.toThrow(/00000001\.jsonl: the segment is missing/);
});

/** The entry with another exchange in its record, and a hash that fits. */
function rehashed(line: string): string {
  const record = /"record":(.*)\}$/.exec(line)?.[1] ?? '';
  const from = /"from":"([^"]*)"/.exec(line)?.[1] ?? '';
  return encodeEntry(from, Buffer.from(record.replace('exchange-', 'EXCHANGE-'))).toString('utf8');
}

async function segmentsOf(store: string): Promise<number[]> {
  const names = await readdir(layout.log(store));
  return names.filter((name) => name.endsWith('.jsonl')).map((name) => Number(name.slice(0, 8)));
}
