import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { main } from './main.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdin: new PassThrough().end(), stdout, stderr, stop: new AbortController().signal };
  const code = await main(args, io);
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

test('help goes to stdout when asked for, to stderr when it is not', async () => {
  const asked = await run('--help');
  expect(asked).toMatchObject({ code: 0, err: '' });
  expect(asked.out).toContain('Usage: gatehouse VERB');
  expect(await run()).toEqual({ code: 2, out: '', err: asked.out });
});

test('every verb that the help names is there and explains itself', async () => {
  const verbs = [...(await run('help')).out.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb = '']) => verb);
  expect(verbs).toContain('standalone');
  for (const verb of verbs) {
    const { code, out } = await run(verb, '--help');
    expect([verb, code]).toEqual([verb, 0]);
    expect(out).toContain(`gatehouse ${verb}`);
  }
});

test.each(['nope', 'toString', '__proto__', '-x', 'a\u001b[2Jb'])('%j is no verb', async (verb) => {
  const { code, out, err } = await run(verb);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^There is no verb "[ -~]*"; gatehouse knows standalone, /);
});

test('an error that nothing catches ends it with one line, which shows nothing of what the error carries', () => {
  const secret = randomBytes(12).toString('hex');
  // Throws as soon as the process has said what it does then.
  const preload = `process.on('newListener', (name) => {
    if (name !== 'uncaughtException') return;
    setImmediate(() => { throw Object.assign(new Error('bad ' + process.env.SEEN), { headers: { token: process.env.SEEN } }); });
  })`;
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(preload)}`,
      resolve(import.meta.dirname, 'main.ts'),
      'help',
    ],
    { encoding: 'utf8', env: { SEEN: secret } },
  );
  expect(status).toBe(1);
  expect(JSON.parse(stderr)).toMatchObject({ level: 'fatal', err: { type: 'Error' } });
  expect(stderr).not.toContain(secret);
});

test('it runs from any directory, through hack/gatehouse and under the name that kubectl looks for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-main-'));
  const plugin = join(directory, 'kubectl-gatehouse');
  await symlink(resolve(import.meta.dirname, '../hack/gatehouse'), plugin);
  try {
    const { stdout } = await promisify(execFile)(plugin, ['--help'], { cwd: directory });
    expect(stdout).toContain('Usage: gatehouse VERB');
  } finally {
    await rm(directory, { recursive: true });
  }
});
