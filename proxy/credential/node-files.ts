import { readFile, stat } from 'node:fs/promises';
import type { FileAccess } from './dev-file.ts';

/** The file system. Inode and change time tell a file that was replaced from one that was written in place. */
export const nodeFiles: FileAccess = {
  read: (path) => readFile(path, 'utf8'),
  version: async (path) => {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  },
};
