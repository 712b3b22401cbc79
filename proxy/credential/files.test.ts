import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../lib/log.ts';
import { Secret } from '../../lib/secret.ts';
import { manualClock, type ManualClock } from '../../test/fixtures/manual-clock.ts';
import { CredentialFiles } from './files.ts';
import type { Lease } from './lease.ts';
import { unavailable } from './template.ts';

let home: string;
let directory: string;
let clock: ManualClock;
let token: string | undefined;
let files: CredentialFiles;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-files-'));
  directory = join(home, 'credentials');
  clock = manualClock();
  token = 'first';
  const lend = (credential: string, whose: unknown): Promise<Lease> => {
    expect(whose).toBe('pod');
    if (token === undefined) return Promise.reject(unavailable(credential, 'it is gone'));
    return Promise.resolve({ fields: new Map([['token', new Secret(token)]]), expiresAt: undefined });
  };
  files = new CredentialFiles({ lender: { lend }, directory, clock, log: silentLogger() });
});
afterEach(() => rm(home, { recursive: true }));

const credential = (name: string) => ({
  name: `${name}-credential`,
  inject: { file: { name, value: 'token={{ token }}', env: 'TOKEN_FILE' } },
});
const content = (name: string): Promise<string> =>
  readFile(join(directory, name), 'utf8').catch(() => 'none');

test('a file is there when the policy is, for its owner alone, and a variable names it', async () => {
  await files.put([credential('github')]);
  expect(await content('github')).toBe('token=first');
  expect((await stat(join(directory, 'github'))).mode & 0o777).toBe(0o600);
  expect(files.environment()).toEqual({ TOKEN_FILE: join(directory, 'github') });
});

test('it follows its credential, and goes with it', async () => {
  await files.put([credential('github')]);
  token = 'second';
  clock.advance(5_000);
  await expect.poll(() => content('github')).toBe('token=second');
  token = undefined;
  await expect
    .poll(() => {
      clock.advance(5_000);
      return content('github');
    })
    .toBe('none');
  token = 'third';
  await expect
    .poll(() => {
      clock.advance(5_000);
      return content('github');
    })
    .toBe('token=third');
});

test('what a policy no longer names is removed, and all of it at the end', async () => {
  await files.put([credential('one'), credential('two')]);
  await files.put([credential('two')]);
  expect(await readdir(directory)).toEqual(['two']);
  await files.close();
  expect(await readdir(directory)).toEqual([]);
  clock.advance(60_000);
  expect(await readdir(directory)).toEqual([]);
});

test('a template that cannot be is refused, and nothing changes', async () => {
  await files.put([credential('one')]);
  const bad = { name: 'bad', inject: { file: { name: 'bad', value: '{{ a b }}' } } };
  await expect(files.put([bad])).rejects.toThrow(
    'The credential "bad" cannot be used: the value of its file must',
  );
  expect(await content('one')).toBe('token=first');
});
