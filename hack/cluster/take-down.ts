/** `cluster-down`: removes a cluster and everything of it, running, half started or dead. */
import type { Layout } from './layout.ts';
import { removeLock, withLock } from './lock.ts';
import { stopCluster } from './stop.ts';

export async function takeDown(layout: Layout): Promise<void> {
  await withLock(layout, () => stopCluster(layout));
  removeLock(layout);
}
