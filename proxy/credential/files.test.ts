import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../lib/log.ts';
import { Secret } from '../../lib/secret.ts';
import { manualClock, type ManualClock } from '../../test/fixtures/manual-clock.ts';
import { CredentialFiles, type FilePlace } from './files.ts';
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
  files = filesIn({ directory, isShared: false });
});
afterEach(() => rm(home, { recursive: true }));

function filesIn(place: FilePlace | undefined): CredentialFiles {
  const lend = (credential: string, whose: unknown): Promise<Lease> => {
    expect(whose).toBe('pod');
    if (token === undefined) return Promise.reject(unavailable(credential, 'it is gone'));
    return Promise.resolve({ fields: new Map([['token', new Secret(token)]]), expiresAt: undefined });
  };
  return new CredentialFiles({ lender: { lend }, place, clock, log: silentLogger() });
}

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

test('a server that runs as another user may read what is there for it, and nobody sees half of it', async () => {
  await mkdir(directory);
  const shared = filesIn({ directory, isShared: true });
  await shared.put([credential('github')]);
  const first = await stat(join(directory, 'github'));
  expect(first.mode & 0o777).toBe(0o644);
  token = 'second';
  clock.advance(5_000);
  await expect.poll(() => content('github')).toBe('token=second');
  // Another file in its place, not other bytes in the same.
  expect((await stat(join(directory, 'github'))).ino).not.toBe(first.ino);
  expect(await readdir(directory)).toEqual(['github']);
});

test('what a process left that was killed is replaced, or removed where nothing names it any more', async () => {
  await mkdir(directory);
  for (const name of ['github', 'earlier', 'github.0a1b2c.unfinished'])
    await writeFile(join(directory, name), 'of before');
  await files.put([credential('github')]);
  expect(await readdir(directory)).toEqual(['github']);
  expect(await content('github')).toBe('token=first');
});

test('what a process left goes with it where its credential is not to be had', async () => {
  await mkdir(directory);
  await writeFile(join(directory, 'github'), 'of before');
  token = undefined;
  await files.put([credential('github')]);
  expect(await readdir(directory)).toEqual([]);
});

test('a shell reads a value with the form sh as it is, whatever stands in it', async () => {
  const value = 'A={{ token | sh }}\nB="also "{{token|sh}}\nexport A B\n';
  const script = '. "$0"; printf %s "$A$B"';
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.stringMatching(/^[!-~\n'"$`\\]{1,40}$/),
        fc
          .string({ unit: 'grapheme', minLength: 1 })
          .filter((text) => text.isWellFormed() && !text.includes('\0')),
      ),
      async (secret) => {
        token = secret;
        await files.put([{ name: 'app', inject: { file: { name: 'env', value } } }]);
        const read = execFileSync('sh', ['-c', script, join(directory, 'env')], { encoding: 'utf8' });
        expect(read).toBe(`${secret}also ${secret}`);
      },
    ),
    { numRuns: 60 },
  );
});

test('a value with the form json is a string of JSON', async () => {
  token = 'a"b\\c\n\u{1f511}';
  const value = '{ "token": {{ token | json }} }';
  await files.put([{ name: 'app', inject: { file: { name: 'app.json', value } } }]);
  expect(JSON.parse(await content('app.json'))).toEqual({ token });
});

test('without a place for them nothing is written, and no variable names a file', async () => {
  const none = filesIn(undefined);
  await none.put([credential('github')]);
  expect(none.environment()).toEqual({});
  await none.close();
  expect(await readdir(home)).toEqual([]);
});
