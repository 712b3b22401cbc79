/** One owner at a time for a directory: the kernel gives the lock back however its holder dies. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatehouseError, sentenceOf } from './errors.ts';

export class DirectoryInUse extends GatehouseError {
  readonly code = 'directory_in_use';
}

/**
 * Takes the lock of `directory`, which exists; returns what gives it back. Node has no flock, SQLite's lock on an
 * empty database file is one: it holds between processes and containers, and a process id in a file does neither.
 */
export function lockDirectory(directory: string): () => void {
  const file = new DatabaseSync(join(directory, 'lock'), { timeout: 0 });
  try {
    file.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    throw new DirectoryInUse(
      `${directory} is in use by another process (${sentenceOf(error)}); stop that one or name another directory.`,
      { cause: error },
    );
  }
  return () => {
    file.close();
  };
}
