/** `cluster-up`: from whatever is there to a cluster that runs pods, or to nothing. */
import { coredns, debian, imageBase, kubernetes, missingSentence, pause } from '../tools/parts.ts';
import { isLeftOver, stopCluster } from './stop.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';
import { waitUntilReady } from './ready.ts';
import { runningState } from './state.ts';
import { startCluster } from './start.ts';

/** What a cluster is made of. */
export const CLUSTER_PARTS = [debian, kubernetes, coredns, pause, imageBase];

interface BringUpOptions {
  /** Leaves a cluster that did not come up as it is, for a look at it. */
  readonly keep: boolean;
  readonly say: (progress: string) => void;
}

/** Leaves nothing when it fails. Throws ClusterError. */
export async function bringUp(layout: Layout, { keep, say }: BringUpOptions): Promise<void> {
  requireMachine();
  if (runningState(layout) === undefined) {
    if (isLeftOver(layout)) say('clearing away what an earlier one left');
    await stopCluster(layout);
  }
  const interrupted = (): void => {
    void stopCluster(layout).finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    if (runningState(layout) === undefined) await startCluster(layout);
    await waitUntilReady(layout, say);
  } catch (error) {
    if (!keep) await stopCluster(layout);
    throw error;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

function requireMachine(): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new ClusterError(
      'A cluster of real pods needs root on Linux; run this as root, or give the tests a KUBECONFIG of another cluster.',
    );
  const missing = missingSentence(CLUSTER_PARTS);
  if (missing !== undefined) throw new ClusterError(missing);
}
