/** `cluster-down`: removes a cluster and everything of it, running, half started or dead. */
import type { Layout } from './layout.ts';
import { withLock } from './lock.ts';
import { stopCluster } from './stop.ts';

export function takeDown(layout: Layout): Promise<void> {
  return withLock(layout, () => stopCluster(layout));
}
