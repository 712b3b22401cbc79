import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FIRST_PREV, lineHash, type RecordEvent } from '../../crds/control.ts';
import { DirectoryInUse } from '../../lib/exclusive-lock.ts';
import { silentLogger } from '../../lib/log.ts';
import { RecorderUnavailable } from './errors.ts';
import type { RecorderLimits } from './limits.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import type { DeliveryAnswer, RecordTransport } from './transport.ts';

let spoolDir: string;
const open: Recorder[] = [];

beforeEach(async () => {
  spoolDir = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'));
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((recorder) => recorder.close()));
  await rm(spoolDir, { recursive: true, force: true });
});

const LIMITS: Partial<RecorderLimits> = { lingerMs: 1, backoffMs: 5, closeMs: 20 };

interface Setup {
  readonly transport: RecordTransport;
  readonly limits?: Partial<RecorderLimits>;
  readonly stream?: string;
  readonly now?: () => number;
}

function start({ transport, limits, stream = 'live', now = Date.now }: Setup): Recorder {
  const recorder = createRecorder({
    spoolDir,
    stream,
    transport,
    now,
    limits: { ...LIMITS, ...limits },
    log: silentLogger(),
  });
  open.push(recorder);
  return recorder;
}

/** Ends a recorder whose transport takes nothing: the lock goes, the files stay. */
async function abandon(recorder: Recorder): Promise<void> {
  open.splice(open.indexOf(recorder), 1);
  await recorder.close();
}

interface Line {
  readonly stream: string;
  readonly seq: number;
  readonly prev: string;
  readonly event: { readonly reason: string };
}

/** A recorder in memory that stores what continues a stream, and lets a test answer first. */
class Store implements RecordTransport {
  readonly streams = new Map<string, { text: string; line: Line }[]>();
  sends = 0;
  answer: (stream: string, lines: readonly string[]) => DeliveryAnswer | undefined = () => undefined;

  send(stream: string, body: Buffer): Promise<DeliveryAnswer> {
    this.sends += 1;
    const lines = body.toString('utf8').trimEnd().split('\n');
    try {
      return Promise.resolve(this.answer(stream, lines) ?? this.store(stream, lines));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  store(stream: string, lines: readonly string[]): DeliveryAnswer {
    const stored = this.streams.get(stream) ?? [];
    for (const text of lines) {
      const line = JSON.parse(text) as Line;
      if (line.seq < stored.length) continue;
      if (line.seq > stored.length) return { kind: 'out_of_sequence', expected: stored.length };
      stored.push({ text, line });
    }
    this.streams.set(stream, stored);
    return { kind: 'acknowledged', seq: stored.length - 1 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  reasons(): string[] {
    return [...this.streams.values()].flat().map(({ line }) => line.event.reason);
  }
}

/** Nobody is there. */
const away: RecordTransport = {
  send: () => Promise.reject(new Error('nobody answers')),
  close: () => Promise.resolve(),
};

function event(reason: string): RecordEvent {
  return {
    time: '2026-01-01T00:00:00.000Z',
    gateway: 'tools/orders',
    session: 's',
    type: 'session.end',
    reason,
  };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

test('events arrive once, in order, each bound to the one before it', async () => {
  const store = new Store();
  const recorder = start({ transport: store });
  for (const reason of range(0, 100)) recorder.write(event(reason));
  expect(await recorder.flush()).toBe(true);
  expect(store.reasons()).toEqual(range(0, 100));
  let prev = FIRST_PREV;
  for (const { text, line } of store.streams.get('live') ?? []) {
    expect(line.prev).toBe(prev);
    prev = lineHash(text);
  }
});

test('a line is in the spool when write returns', async () => {
  const recorder = start({ transport: away });
  recorder.write(event('now'));
  const [name = ''] = (await readdir(spoolDir)).filter((each) => each.endsWith('.jsonl'));
  expect(await readFile(join(spoolDir, name), 'utf8')).toMatch(
    /^\{"stream":"live","seq":0,.*"reason":"now"\}\}\n$/,
  );
});

test('nothing is left in the spool of what was delivered', async () => {
  const recorder = start({ transport: new Store(), limits: { fileBytes: 500 } });
  for (const reason of range(0, 50)) recorder.write(event(reason));
  await recorder.flush();
  expect((await readdir(spoolDir)).filter((each) => each.endsWith('.jsonl'))).toHaveLength(1);
  await abandon(recorder);
  expect(await readdir(spoolDir)).toEqual(['lock']);
});

test('what earlier processes left is delivered first, then the rest', async () => {
  const first = start({ transport: away, stream: 'first', limits: { fileBytes: 500 } });
  for (const reason of range(0, 20)) first.write(event(reason));
  await abandon(first);
  const second = start({ transport: away, stream: 'second' });
  for (const reason of range(20, 30)) second.write(event(reason));
  await abandon(second);

  const store = new Store();
  const third = start({ transport: store, stream: 'third' });
  third.write(event('30'));
  await third.flush();
  expect(store.reasons()).toEqual(range(0, 31));
  expect([...store.streams.keys()]).toEqual(['first', 'second', 'third']);
});

test('a line that was torn by a crash is dropped, the ones before it are delivered', async () => {
  const first = start({ transport: away, stream: 'first' });
  for (const reason of range(0, 3)) first.write(event(reason));
  await abandon(first);
  const [name = ''] = (await readdir(spoolDir)).filter((each) => each.endsWith('.jsonl'));
  await writeFile(join(spoolDir, name), '{"stream":"first","seq":3,"prev":', { flag: 'a' });

  const store = new Store();
  await start({ transport: store, stream: 'second' }).flush();
  expect(store.reasons()).toEqual(range(0, 3));
});

test('after failures the same lines are sent again', async () => {
  const store = new Store();
  store.answer = () => {
    if (store.sends <= 5) throw new Error('the network is away');
    return undefined;
  };
  const recorder = start({ transport: store });
  for (const reason of range(0, 10)) recorder.write(event(reason));
  expect(await recorder.flush(2000)).toBe(true);
  expect(store.reasons()).toEqual(range(0, 10));
});

test('an answer that got lost leads neither to loss nor to doubles', async () => {
  const store = new Store();
  store.answer = (stream, lines) => {
    if (store.sends > 1) return undefined;
    store.store(stream, lines);
    throw new Error('the answer is lost');
  };
  const recorder = start({ transport: store, limits: { batchLines: 4 } });
  for (const reason of range(0, 10)) recorder.write(event(reason));
  expect(await recorder.flush(2000)).toBe(true);
  expect(store.reasons()).toEqual(range(0, 10));
});

test('delivery goes on where the recorder says', async () => {
  const first = start({ transport: away, stream: 'first' });
  for (const reason of range(0, 10)) first.write(event(reason));
  await abandon(first);
  const store = new Store();
  let told = false;
  store.answer = (stream, lines) => {
    if (told) return undefined;
    told = true;
    store.store(stream, lines.slice(0, 7));
    return { kind: 'out_of_sequence', expected: 7 };
  };
  await start({ transport: store, stream: 'second' }).flush();
  expect(store.reasons()).toEqual(range(0, 10));
});

test('a recorder that lost what it had acknowledged gets the rest under another stream', async () => {
  const store = new Store();
  const recorder = start({ transport: store });
  for (const reason of range(0, 5)) recorder.write(event(reason));
  await recorder.flush();
  store.streams.clear();
  for (const reason of range(5, 9)) recorder.write(event(reason));
  expect(await recorder.flush()).toBe(true);
  expect(store.reasons()).toEqual(range(5, 9));
  expect([...store.streams.keys()]).not.toContain('live');
  expect([...store.streams.values()].flat()[0]?.line).toMatchObject({ seq: 0, prev: FIRST_PREV });
});

test('a broken chain is left behind and nothing is lost', async () => {
  const store = new Store();
  store.answer = (stream) => (stream === 'live' ? { kind: 'chain_broken', message: 'a fork' } : undefined);
  const recorder = start({ transport: store });
  for (const reason of range(0, 5)) recorder.write(event(reason));
  expect(await recorder.flush()).toBe(true);
  expect(store.reasons()).toEqual(range(0, 5));
});

test('a line that is never taken is set aside, alone', async () => {
  const store = new Store();
  store.answer = (_, lines) =>
    lines.some((line) => line.includes('"reason":"3"'))
      ? { kind: 'rejected', message: 'not this one' }
      : undefined;
  const recorder = start({ transport: store });
  for (const reason of range(0, 6)) recorder.write(event(reason));
  expect(await recorder.flush(2000)).toBe(true);
  expect(store.reasons()).toEqual(['0', '1', '2', '4', '5']);
  expect(recorder.state().setAside).toBe(1);
  expect(await readFile(join(spoolDir, 'live.rejected'), 'utf8')).toMatch(/^\{[^\n]*"reason":"3"[^\n]*\n$/);
});

test('a full spool is not ready, keeps a reserve for calls under way, then refuses, and recovers', async () => {
  const store = new Store();
  let reachable = false;
  store.answer = () => {
    if (!reachable) throw new Error('away');
    return undefined;
  };
  const recorder = start({ transport: store, limits: { maxBytes: 1000, reserveBytes: 1000 } });
  const written: string[] = [];
  const write = (reason: string) => {
    recorder.write(event(reason));
    written.push(reason);
  };
  for (let i = 0; recorder.ready(); i += 1) write(String(i));
  expect(recorder.state().spoolBytes).toBeGreaterThan(1000);
  write('in the reserve');
  expect(() => {
    for (let i = 0; i < 20; i += 1) write(`r${i}`);
  }).toThrow(RecorderUnavailable);
  expect(recorder.state().spoolBytes).toBeLessThan(2400);
  reachable = true;
  expect(await recorder.flush(2000)).toBe(true);
  expect(recorder.ready()).toBe(true);
  expect(store.reasons()).toEqual(written);
});

test('what waits too long makes the recorder not ready, until it is delivered', async () => {
  let now = 1_000_000;
  const store = new Store();
  let reachable = false;
  store.answer = () => {
    if (!reachable) throw new Error('away');
    return undefined;
  };
  const recorder = start({ transport: store, now: () => now, limits: { maxAgeMs: 60_000 } });
  recorder.write(event('old'));
  now += 59_000;
  expect(recorder.ready()).toBe(true);
  now += 2_000;
  expect(recorder.ready()).toBe(false);
  expect(recorder.state().lagMs).toBe(61_000);
  reachable = true;
  await recorder.flush(2000);
  expect(recorder.ready()).toBe(true);
  expect(recorder.state().lagMs).toBe(0);
});

test('an event that no record may be as large as is refused, and the chain goes on', async () => {
  const store = new Store();
  const recorder = start({ transport: store, limits: { maxLineBytes: 1000 } });
  recorder.write(event('0'));
  expect(() => recorder.write(event('x'.repeat(1000)))).toThrow(RecorderUnavailable);
  recorder.write(event('1'));
  await recorder.flush();
  expect(store.reasons()).toEqual(['0', '1']);
});

test('a spool that cannot be written is unavailable, and is tried again', async () => {
  let now = 1_000_000;
  const store = new Store();
  const recorder = start({ transport: store, now: () => now, limits: { fileBytes: 1 } });
  recorder.write(event('0'));
  await recorder.flush();
  const taken = join(spoolDir, 'live.000000000000001.jsonl');
  await writeFile(taken, '');
  expect(() => recorder.write(event('1'))).toThrow(RecorderUnavailable);
  expect(recorder.ready()).toBe(false);
  await rm(taken);
  now += 1_000;
  expect(recorder.ready()).toBe(true);
  recorder.write(event('1'));
  await recorder.flush();
  expect(store.reasons()).toEqual(['0', '1']);
});

test('lines longer than a batch are delivered', async () => {
  const store = new Store();
  const recorder = start({ transport: store, limits: { batchBytes: 100 } });
  const reasons = ['short', 'x'.repeat(5000), 'y'.repeat(70_000), 'end'];
  for (const reason of reasons) recorder.write(event(reason));
  expect(await recorder.flush(2000)).toBe(true);
  expect(store.reasons()).toEqual(reasons);
});

test('two processes never share a spool', () => {
  start({ transport: away });
  expect(() => start({ transport: away, stream: 'other' })).toThrow(DirectoryInUse);
});

test('flush says that nobody took the events, and close leaves them', async () => {
  const recorder = start({ transport: away });
  recorder.write(event('kept'));
  expect(await recorder.flush(10)).toBe(false);
  await abandon(recorder);
  expect((await readdir(spoolDir)).filter((each) => each.endsWith('.jsonl'))).toHaveLength(1);
});
