/** Files that others replace while we run: tokens, certificates, lists of who may write. */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/**
 * Reads and parses `path` when it is first asked for and again whenever the file has changed. While a changed file
 * cannot be read or parsed the call rejects; nothing falls back to what was there before.
 */
export function freshFile<T>(path: string, parse: (text: string) => T): () => Promise<T> {
  let known: { stamp: string; value: T } | undefined;
  return async () => {
    // Through the link: a projected volume swaps a symlink, which changes the inode behind it.
    // At once, because the round over another thread takes a hundred times as long as the look at an inode.
    const { ino, mtimeMs, ctimeMs, size } = statSync(path);
    const stamp = `${ino}:${mtimeMs}:${ctimeMs}:${size}`;
    if (known?.stamp !== stamp) known = { stamp, value: parse(await readFile(path, 'utf8')) };
    return known.value;
  };
}
