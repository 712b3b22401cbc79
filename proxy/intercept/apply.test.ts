import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyRuleset, InterceptionError } from './apply.ts';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'gatehouse-nft-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Stands where nft does, and says what nft says on such a machine. */
async function program(script: string): Promise<string> {
  const path = join(folder, 'nft');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test('hands the whole ruleset to nft', async () => {
  const copy = join(folder, 'copy');
  await applyRuleset(
    'table ip x {}\n',
    await program(`test "$*" = "-f -" && test "$(cat)" = "table ip x {}" && : > ${copy}`),
  );
  await rm(copy);
});

test.each([
  ['echo "netlink: Error: cache initialization failed: Operation not permitted" >&2; exit 1', 'NET_ADMIN'],
  ['echo "Error: Could not process rule: No such file or directory" >&2; exit 1', 'needs Linux 5.2'],
  ['echo "Error: Could not process rule: Operation not supported" >&2; exit 1', 'needs Linux 5.2'],
  [
    'cat >/dev/null; printf "Error: syntax error\\nmore" >&2; exit 1',
    'nft refused the network rules: Error: syntax error',
  ],
  ['kill -9 $$', 'was ended by SIGKILL'],
])('%s', async (script, sentence) => {
  const applying = applyRuleset('x'.repeat(1_000_000), await program(script));
  await expect(applying).rejects.toThrow(InterceptionError);
  await expect(applying).rejects.toThrow(sentence);
});

test('a program that is not there', async () => {
  await expect(applyRuleset('', join(folder, 'none'))).rejects.toThrow('it is not on the PATH');
});
