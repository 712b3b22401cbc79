/** A credential that the server reads from a file: it gets it, and nobody who calls it does. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answerOf, openSession } from '../fixtures/hand-client.ts';
import { startWorld } from './world.ts';

/** Answers every call with what stands in the file, and its length. */
const SERVER = `
const { readFileSync } = require('node:fs');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const text = method === 'tools/call' ? readFileSync(process.env.KEY_FILE, 'utf8') : '';
  const result = method === 'initialize'
    ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'reader', version: '1' } }
    : { content: [{ type: 'text', text: text.length + ' ' + text }] };
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n');
});`.replaceAll('\n', ' ');

test('a server reads its credential from a file that follows it, and callers see a mask', async () => {
  const [first, second] = [randomBytes(9).toString('hex'), randomBytes(15).toString('hex')];
  await using world = await startWorld({
    spec: {
      server: { transport: 'Stdio', command: [process.execPath, '-e', SERVER] },
      credentials: [
        {
          name: 'backend',
          scope: 'Pod',
          source: { devFile: { path: 'backend.json' } },
          inject: { file: { name: 'key', value: 'key={{ key }}', env: 'KEY_FILE' } },
        },
      ],
    },
    files: { 'backend.json': JSON.stringify({ key: first }) },
  });
  const session = await openSession(await world.as('ana'));
  const call = async (): Promise<string> =>
    JSON.stringify(await answerOf(await session.request('tools/call', { name: 'read' })));
  const shown = (secret: string) => `${4 + secret.length} key=[REDACTED:known-secret]`;
  expect(await call()).toContain(shown(first));
  await writeFile(join(world.gatehouse.directory, 'backend.json'), JSON.stringify({ key: second }));
  await expect.poll(call, { timeout: 30_000 }).toContain(shown(second));

  const directory = join(world.gatehouse.directory, '.gatehouse/proxy/credentials');
  const [own = ''] = await readdir(directory);
  expect(await readFile(join(directory, own, 'key'), 'utf8')).toBe(`key=${second}`);
  await world.gatehouse.child.stop();
  expect(await readdir(join(directory, own))).toEqual([]);
});
