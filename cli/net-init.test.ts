import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { main } from './main.ts';

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const code = await main(['net-init', ...args], {
    stdin,
    stdout,
    stderr,
    stop: new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

const LEAST = ['--server-port', '8080', '--dns', '10.96.0.10'];

test('prints the rules without setting them', async () => {
  const { code, stdout } = await run(...LEAST, '--open-ports', '9000,15020', '--print');
  expect(code).toBe(0);
  expect(stdout).toContain('tcp dport { 9000, 15000, 15020, 15021 } accept');
  expect(stdout).toContain('udp dport 53 accept');
});

test('an empty list of open ports is none', async () => {
  expect((await run(...LEAST, '--open-ports=', '--print')).stdout).toBe(
    (await run(...LEAST, '--print')).stdout,
  );
});

test('helps', async () => {
  expect((await run('--help')).stdout).toContain('Usage: gatehouse net-init');
});

test.each([
  [[], '--server-port must name'],
  [['--server-port', '8080'], '--dns must name'],
  [[...LEAST, '--open-ports', '1,,2'], '--open-ports must name'],
  [[...LEAST, '--open-ports', '0x50'], '--open-ports must name'],
  [[...LEAST, '--uid', '-5'], "'--uid' argument is ambiguous"],
  [[...LEAST, '--uid', 'root'], '--uid must name a user by number'],
  [[...LEAST, '--container-uids', '1e3'], '--container-uids must name users by number'],
  [[...LEAST, '--open-ports', '8080'], 'cannot be among --open-ports'],
  [[...LEAST, '--elsewhere'], "Unknown option '--elsewhere'"],
  [[...LEAST, 'word'], 'Unexpected argument'],
])('%j is refused with a sentence', async (args, sentence) => {
  const { code, stdout, stderr } = await run(...args, '--print');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain('    at ');
});
