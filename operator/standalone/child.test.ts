import { PassThrough } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { startChild, type Child, type Ready } from './child.ts';

const READY = `console.log(JSON.stringify({ ready: true, listen: 'http://127.0.0.1:' + (process.env.PORT ?? '1'), metrics: 'http://127.0.0.1:2' }));`;
const STAY = 'setInterval(() => {}, 1000);';

const started: Child[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()));
});

interface Observed {
  readonly child: Child;
  readonly stderr: PassThrough;
  readonly ends: () => number;
  readonly before: (Ready | undefined)[];
}

async function run(script: string): Promise<Observed> {
  const stderr = new PassThrough();
  const before: (Ready | undefined)[] = [];
  let ends = 0;
  const child = await startChild(
    {
      name: 'proxy',
      command: [process.execPath, '-e', script],
      environment: (last) => {
        before.push(last);
        return { PORT: String(before.length) };
      },
    },
    { clock: systemClock, log: silentLogger(), stderr, onEnd: () => (ends += 1) },
  );
  started.push(child);
  return { child, stderr, ends: () => ends, before };
}

test('a process that says it is ready is, and what it writes on stderr is passed on', async () => {
  const { child, stderr } = await run(`console.error('hello'); ${READY} ${STAY}`);
  expect(child.ready).toEqual({ ready: true, listen: 'http://127.0.0.1:1', metrics: 'http://127.0.0.1:2' });
  expect(child.status()).toEqual({ name: 'proxy', running: true, url: 'http://127.0.0.1:1', restarts: 0 });
  await expect.poll(() => String(stderr.read() ?? '')).toContain('hello');
});

test('a process that dies is started again, told what its predecessor was', async () => {
  const { child, ends, before } = await run(
    `${READY} setTimeout(() => process.exit(1), process.env.PORT === '1' ? 10 : 1e6);`,
  );
  await expect
    .poll(() => child.status())
    .toMatchObject({ running: true, restarts: 1, url: 'http://127.0.0.1:2' });
  expect(ends()).toBe(1);
  expect(before).toEqual([undefined, child.ready]);
});

test('a process that is to begin anew ends in order and is started again', async () => {
  const { child } = await run(`process.on('SIGTERM', () => process.exit(0)); ${READY} ${STAY}`);
  child.restart();
  await expect.poll(() => child.status()).toMatchObject({ running: true, restarts: 1 });
});

test.each([
  ['process.exit(2)', 'The proxy ended (exit code 2) before it was ready.', 2],
  [
    "process.kill(process.pid, 'SIGKILL')",
    'The proxy ended (signal SIGKILL) before it was ready.',
    undefined,
  ],
  [`console.log('hello'); ${STAY}`, 'The proxy did not say where it listens.', undefined],
  [`console.log('{"ready":false}'); ${STAY}`, 'The proxy did not say where it listens.', undefined],
])('a process that does %j instead of getting ready fails the start', async (script, message, exitCode) => {
  await expect(run(script)).rejects.toMatchObject({ code: 'child_failed', message, exitCode });
});

test('a program that is not there fails the start', async () => {
  const deps = { clock: systemClock, log: silentLogger(), stderr: new PassThrough() };
  const spec = { name: 'proxy', command: ['/nonexistent/gatehouse'] as const, environment: () => ({}) };
  await expect(startChild({ ...spec, command: [...spec.command] }, deps)).rejects.toMatchObject({
    code: 'child_failed',
  });
});

test('a stopped process stays stopped', async () => {
  const { child, ends, before } = await run(`${READY} ${STAY}`);
  await child.stop();
  await child.stop();
  expect(child.status()).toMatchObject({ running: false, restarts: 0 });
  expect(ends()).toBe(1);
  expect(before).toHaveLength(1);
});
