/** One process at a time brings a cluster up or down; another waits for it. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryInUse, lockDirectory } from '../../lib/exclusive-lock.ts';
import { cacheDirectory } from '../tools/config.ts';
import type { Layout } from './layout.ts';

const PAUSE = 250;

export async function withLock<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  const release = await acquire(lockOf(layout));
  try {
    return await work();
  } finally {
    release();
  }
}

/** A cluster that is gone needs no lock any more. */
export function removeLock(layout: Layout): void {
  rmSync(lockOf(layout), { recursive: true, force: true });
}

function lockOf(layout: Layout): string {
  return join(cacheDirectory, 'locks', layout.cgroup);
}

async function acquire(directory: string): Promise<() => void> {
  for (;;) {
    mkdirSync(directory, { recursive: true });
    try {
      return lockDirectory(directory);
    } catch (error) {
      if (!(error instanceof DirectoryInUse)) throw error;
      await sleep(PAUSE);
    }
  }
}
