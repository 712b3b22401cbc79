/** Clusters of tests are named for the process that owns them, so that those nobody owns any more can be told. */
import { existsSync } from 'node:fs';

const PATTERN = /^test-(\d+)(-[a-z]+)?$/;

export function testClusterName(suffix?: string): string {
  return `test-${process.pid}${suffix === undefined ? '' : `-${suffix}`}`;
}

export function isTestCluster(name: string): 'owned' | 'abandoned' | undefined {
  const pid = PATTERN.exec(name)?.[1];
  if (pid === undefined) return undefined;
  return existsSync(`/proc/${pid}`) ? 'owned' : 'abandoned';
}
