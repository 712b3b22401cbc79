import { once } from 'node:events';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { expect, test } from 'vitest';
import type { RecordEvent } from '../crds/control.ts';
import { issueAuthority } from '../lib/certificates.ts';
import { silentLogger } from '../lib/log.ts';
import { createHttpsTransport } from '../proxy/record/https-transport.ts';
import type { RecorderLimits } from '../proxy/record/limits.ts';
import { createRecorder, type Recorder } from '../proxy/record/recorder.ts';
import { startNode } from '../test/fixtures/child.ts';
import { scratch } from '../test/fixtures/record-store.ts';
import { giveToken, prepareRecorder, startRecorder, type RecorderPlace } from '../test/fixtures/recorder.ts';
import { readRecords } from './sessions/read.ts';
import { verifyStore } from './sessions/verify.ts';

const LIMITS: Partial<RecorderLimits> = { lingerMs: 5, backoffMs: 100, closeMs: 200 };

interface Proxy extends AsyncDisposable {
  readonly recorder: Recorder;
}

function startProxy(place: RecorderPlace, spoolDir: string, stream?: string): Proxy {
  const recorder = createRecorder({
    spoolDir,
    transport: createHttpsTransport(place),
    now: Date.now,
    limits: LIMITS,
    log: silentLogger(),
    ...(stream === undefined ? {} : { stream }),
  });
  return { recorder, [Symbol.asyncDispose]: () => recorder.close() };
}

function event(exchange: string): RecordEvent {
  const time = new Date().toISOString();
  return {
    time,
    gateway: 'tools/orders',
    session: 's1',
    type: 'approval',
    exchange,
    approval: 'a',
    phase: 'Pending',
  };
}

/** The exchanges in the store, in the order of the log, after all of it has been verified. */
async function stored(store: string): Promise<string[]> {
  await verifyStore({ store, key: undefined, expectSize: undefined });
  const exchanges: string[] = [];
  const warn = (sentence: string) => {
    throw new Error(sentence);
  };
  for await (const { line } of readRecords(store, warn)) {
    if (line.event.type === 'approval') exchanges.push(line.event.exchange);
  }
  return exchanges;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  // A killed child is gone when its process id no longer answers; its parent here reaps it at once.
  for (let alive = true; alive;) {
    await sleep(10);
    alive = isAlive(pid);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('what a proxy writes is stored, signed for and counted', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using running = await startRecorder(place);
  await using proxy = startProxy(place, join(dir.path, 'spool'));
  for (const exchange of range(0, 200)) proxy.recorder.write(event(exchange));
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  expect(await stored(place.store)).toEqual(range(0, 200));
  const metrics = await (await request(`${running.metrics}/metrics`)).body.text();
  expect(metrics).toContain('gatehouse_recorder_lines_total 200');
  expect(metrics).toContain('gatehouse_recorder_log_entries 200');
});

test('a recorder that is killed while it writes, again and again, loses and doubles nothing', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using proxy = startProxy(place, join(dir.path, 'spool'));
  let next = 0;
  const writing = setInterval(() => {
    for (let i = 0; i < 20; i += 1) proxy.recorder.write(event(String(next++)));
  }, 1);
  try {
    for (let round = 0; round < 3; round += 1) {
      const { child } = await startRecorder(place);
      const before = next;
      while (next < before + 1000) await sleep(10);
      await kill(child.pid);
    }
  } finally {
    clearInterval(writing);
  }
  await using last = await startRecorder(place);
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  expect(await stored(place.store)).toEqual(range(0, next));
  expect(last.child.output()).toContain('opened the store');
});

test('a proxy that is killed while it writes has recorded everything that it went on with', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using processes = new AsyncDisposableStack();
  processes.use(await startRecorder(place));
  const spoolDir = join(dir.path, 'spool');
  const reported: string[] = [];
  for (let round = 0; round < 3; round += 1) reported.push(...(await runAndKill(place, spoolDir, round)));
  await using proxy = startProxy(place, spoolDir);
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  const exchanges = await stored(place.store);
  expect(new Set(exchanges).size).toBe(exchanges.length);
  expect(exchanges).toEqual(expect.arrayContaining(reported));
  // At most one event a round was written and not reported any more.
  expect(exchanges.length - reported.length).toBeLessThanOrEqual(3);
});

/** A process that writes events as fast as it can and reports each, until it is killed; returns what it reported. */
async function runAndKill(place: RecorderPlace, spoolDir: string, round: number): Promise<string[]> {
  const report = `${spoolDir}.report-${round}`;
  await writeFile(report, '');
  const source = (path: string) => JSON.stringify(resolve(import.meta.dirname, '..', path));
  const script = `
    import { openSync, writeSync } from 'node:fs';
    import { createRecorder } from ${source('proxy/record/recorder.ts')};
    import { createHttpsTransport } from ${source('proxy/record/https-transport.ts')};
    import { silentLogger } from ${source('lib/log.ts')};
    const { place, spoolDir, round, limits, report } = JSON.parse(process.argv[1]);
    const recorder = createRecorder({ spoolDir, limits, now: Date.now, log: silentLogger(), transport: createHttpsTransport(place) });
    const out = openSync(report, 'a');
    for (let i = 0; ; i += 1) {
      const exchange = round + '-' + i;
      recorder.write({ time: new Date().toISOString(), gateway: 'tools/orders', type: 'approval', exchange, approval: 'a', phase: 'Pending' });
      writeSync(out, exchange + '\\n');
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }`;
  const argument = JSON.stringify({
    place,
    spoolDir,
    round,
    report,
    limits: { ...LIMITS, fileBytes: 20_000 },
  });
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, argument], {
    stdio: 'inherit',
  });
  const gone = once(child, 'exit');
  while (child.exitCode === null && (await stat(report)).size < 10_000) await sleep(5);
  child.kill('SIGKILL');
  expect(await gone).toEqual([null, 'SIGKILL']);
  return (await readFile(report, 'utf8')).split('\n').slice(0, -1);
}

test('a disk that takes no more acknowledges nothing; when it does again, everything arrives', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using proxy = startProxy(place, join(dir.path, 'spool'));
  {
    await using full = await startRecorder(place, { maxFileBlocks: 64 });
    for (const exchange of range(0, 300)) proxy.recorder.write(event(exchange));
    expect(await proxy.recorder.flush(1_500)).toBe(false);
    expect(
      await metricOf(full.metrics, 'gatehouse_recorder_batches_total{result="unavailable"}'),
    ).toBeGreaterThan(0);
    // What was refused left no trace: the store is whole, and no longer than what was signed for.
    const { records, size } = await verifyStore({
      store: place.store,
      key: undefined,
      expectSize: undefined,
    });
    expect(records).toBe(size);
    expect(size).toBeLessThan(300);
  }
  await using processes = new AsyncDisposableStack();
  processes.use(await startRecorder(place));
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  expect(await stored(place.store)).toEqual(range(0, 300));
});

async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await request(`${url}/metrics`)).body.text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? NaN,
  );
}

test('tokens and roots that are replaced take effect without a restart', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using running = await startRecorder(place);
  const ca = await readFile(place.caFile, 'utf8');
  await using proxy = startProxy(place, join(dir.path, 'spool'));
  proxy.recorder.write(event('0'));
  expect(await proxy.recorder.flush(10_000)).toBe(true);

  const tokens = await readFile(place.tokensFile, 'utf8');
  await writeFile(place.tokensFile, '{}');
  proxy.recorder.write(event('1'));
  expect(await proxy.recorder.flush(500)).toBe(false);
  expect(
    await metricOf(running.metrics, 'gatehouse_recorder_batches_total{result="unauthenticated"}'),
  ).toBeGreaterThan(0);
  await giveToken(place, 'proxy');
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  expect(await readFile(place.tokensFile, 'utf8')).not.toBe(tokens);

  await writeFile(place.caFile, issueAuthority('another authority', { now: Date.now(), days: 1 }).cert);
  proxy.recorder.write(event('2'));
  expect(await proxy.recorder.flush(500)).toBe(false);
  await writeFile(place.caFile, ca);
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  expect(await stored(place.store)).toEqual(range(0, 3));
});

test('when the store is lost, what was not acknowledged goes on under another stream', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using proxy = startProxy(place, join(dir.path, 'spool'), 'first');
  {
    await using processes = new AsyncDisposableStack();
    processes.use(await startRecorder(place));
    for (const exchange of range(0, 10)) proxy.recorder.write(event(exchange));
    expect(await proxy.recorder.flush(10_000)).toBe(true);
  }
  await rename(place.store, `${place.store}.lost`);
  await using processes = new AsyncDisposableStack();
  processes.use(await startRecorder(place));
  for (const exchange of range(10, 20)) proxy.recorder.write(event(exchange));
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  expect(await stored(place.store)).toEqual(range(10, 20));
});

test('a second chain under the same stream is refused, and its events are kept under another', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using running = await startRecorder(place);
  await using one = startProxy(place, join(dir.path, 'spool-1'), 'same');
  for (const exchange of range(0, 5)) one.recorder.write(event(exchange));
  expect(await one.recorder.flush(10_000)).toBe(true);
  await using two = startProxy(place, join(dir.path, 'spool-2'), 'same');
  for (const exchange of range(5, 15)) two.recorder.write(event(exchange));
  expect(await two.recorder.flush(10_000)).toBe(true);
  expect(await stored(place.store)).toEqual(range(0, 15));
  expect(await metricOf(running.metrics, 'gatehouse_recorder_batches_total{result="chain_broken"}')).toBe(1);
  expect(running.child.output()).toContain('a chain is broken');
});

test('a stream of one writer is closed to another', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using processes = new AsyncDisposableStack();
  processes.use(await startRecorder(place));
  await using proxy = startProxy(place, join(dir.path, 'spool'), 'mine');
  proxy.recorder.write(event('0'));
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  await giveToken(place, 'somebody-else');
  proxy.recorder.write(event('1'));
  expect(await proxy.recorder.flush(10_000)).toBe(true);
  const writers = new Map<string, string>();
  for await (const { from, line } of readRecords(place.store, () => undefined))
    writers.set(line.stream, from);
  expect(writers.get('mine')).toBe('proxy');
  expect([...writers.values()]).toEqual(['proxy', 'somebody-else']);
});

test('two recorders never share a store', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  await using processes = new AsyncDisposableStack();
  processes.use(await startRecorder(place));
  const second = startNode([resolve(import.meta.dirname, 'main.ts'), 'recorder'], {
    env: { ...place.env, GATEHOUSE_LISTEN: '127.0.0.1:0' },
  });
  await expect(second.printed(/"ready":true/)).rejects.toThrow(/store is in use by another process/);
});

test('a recorder ends with its parent when it is told to, in order', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'main.ts'), 'recorder'], {
    env: { ...place.env, GATEHOUSE_EXIT_WITH_PARENT: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test.each([
  ['is not set', { GATEHOUSE_STORE_DIR: '' }, /GATEHOUSE_STORE_DIR is wrong: must name a file or directory/],
  ['is no address', { GATEHOUSE_LISTEN: 'nowhere' }, /GATEHOUSE_LISTEN is "nowhere"/],
  [
    'is no duration',
    { GATEHOUSE_RETENTION: '90 days' },
    /GATEHOUSE_RETENTION is wrong: must be a number and a unit/,
  ],
])('a variable that %s is refused with a sentence', async (_, env, sentence) => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  const child = startNode([resolve(import.meta.dirname, 'main.ts'), 'recorder'], {
    env: { ...place.env, ...env },
  });
  await expect(child.printed(/"ready":true/)).rejects.toThrow(sentence);
});

test('the signing key may not lie in the store', async () => {
  await using dir = await scratch();
  const place = await prepareRecorder(dir.path);
  const env = { ...place.env, GATEHOUSE_SIGNING_KEY_FILE: join(place.store, 'signing.pem') };
  const child = startNode([resolve(import.meta.dirname, 'main.ts'), 'recorder'], { env });
  await expect(child.printed(/"ready":true/)).rejects.toThrow(
    /ended with 2[^]*lies within GATEHOUSE_STORE_DIR/,
  );
  await rm(place.store, { recursive: true, force: true });
  expect(await readdir(dir.path)).not.toContain('signing.pem');
});
