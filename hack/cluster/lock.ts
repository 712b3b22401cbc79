/** One process at a time brings a cluster up or down; another waits for it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryInUse, lockDirectory } from '../../lib/exclusive-lock.ts';
import { cacheDirectory } from '../tools/config.ts';
import type { Layout } from './layout.ts';

const PAUSE = 250;

export async function withLock<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  const directory = join(cacheDirectory, 'locks', layout.cgroup);
  mkdirSync(directory, { recursive: true });
  const release = await acquire(directory);
  try {
    return await work();
  } finally {
    release();
  }
}

async function acquire(directory: string): Promise<() => void> {
  for (;;) {
    try {
      return lockDirectory(directory);
    } catch (error) {
      if (!(error instanceof DirectoryInUse)) throw error;
      await sleep(PAUSE);
    }
  }
}
