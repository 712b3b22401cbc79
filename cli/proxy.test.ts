/** A proxy that cannot start says why and is gone, though its parent goes on holding the pipe that it would end with. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { issueAuthority } from '../lib/certificates.ts';
import { lockDirectory } from '../lib/exclusive-lock.ts';
import { scratch } from '../test/fixtures/record-store.ts';

test('it ends when another process has its spool', { timeout: 60_000 }, async () => {
  await using place = await scratch();
  const state = join(place.path, 'state');
  await mkdir(join(state, 'spool'), { recursive: true });
  await writeFile(join(place.path, 'ca.pem'), issueAuthority('test', { now: Date.now(), days: 1 }).cert);
  await writeFile(join(place.path, 'token'), 'any');
  const unlock = lockDirectory(join(state, 'spool'));
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'main.ts'), 'proxy'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {
      GATEHOUSE_LISTEN: '127.0.0.1:0',
      GATEHOUSE_METRICS_LISTEN: '127.0.0.1:0',
      GATEHOUSE_CONTROL_URL: 'https://127.0.0.1:9',
      GATEHOUSE_RECORDER_URL: 'https://127.0.0.1:9',
      GATEHOUSE_CA_FILE: join(place.path, 'ca.pem'),
      GATEHOUSE_TOKEN_FILE: join(place.path, 'token'),
      GATEHOUSE_STATE_DIR: state,
      GATEHOUSE_EXIT_WITH_PARENT: '1',
    },
  });
  try {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    const code = await new Promise((ended) => child.once('exit', ended));
    expect(code).not.toBe(0);
    expect(said).toContain('is in use by another process');
  } finally {
    child.kill('SIGKILL');
    unlock();
  }
});
