/** Takes a cluster down, whatever state it is in, and leaves nothing of it. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { removeCgroups } from './cgroup.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';

/**
 * Its processes end with its control groups; its namespaces, and with them its mounts and its network, end with its
 * processes; its files are what is left.
 */
export async function stopCluster(layout: Layout): Promise<void> {
  await removeCgroups(layout.cgroup);
  const mounted = mountsBelow(layout.directory);
  if (mounted.length > 0)
    throw new ClusterError(`Something is still mounted at ${mounted.join(', ')}; unmount it first.`);
  rmSync(layout.directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Whether anything of it is there. */
export function isLeftOver(layout: Layout): boolean {
  return existsSync(layout.directory);
}

function mountsBelow(directory: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${directory}/`));
}
