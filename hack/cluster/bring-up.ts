/** `cluster-up`: from whatever is there to a cluster that runs pods, or to nothing. */
import { coredns, debian, imageBase, kubernetes, missingSentence, pause } from '../tools/parts.ts';
import { isLeftOver, stopCluster } from './stop.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';
import { withLock } from './lock.ts';
import { waitUntilReady } from './ready.ts';
import { runningState } from './state.ts';
import { startCluster } from './start.ts';

/** What a cluster is made of. */
const CLUSTER_PARTS = [debian, kubernetes, coredns, pause, imageBase];

interface BringUpOptions {
  /** Leaves a cluster that did not come up as it is, for a look at it. */
  readonly keep: boolean;
  readonly say: (progress: string) => void;
}

/** Goes on with a cluster that is there; leaves nothing when it fails. Throws ClusterError. */
export async function bringUp(layout: Layout, options: BringUpOptions): Promise<void> {
  const unable = whyNoCluster();
  if (unable !== undefined) throw new ClusterError(unable);
  await withLock(layout, () => startAndWait(layout, options));
}

/** A sentence that says why this machine cannot run a cluster now, and what to do; undefined when it can. */
export function whyNoCluster(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'A cluster of real pods needs root on Linux; be root, or name the KUBECONFIG of another cluster.';
  return missingSentence(CLUSTER_PARTS);
}

async function startAndWait(layout: Layout, { keep, say }: BringUpOptions): Promise<void> {
  const interrupted = (): void => {
    void stopCluster(layout).finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    if (runningState(layout) === undefined) {
      if (isLeftOver(layout)) say('clearing away what an earlier one left');
      await stopCluster(layout);
      await startCluster(layout);
    }
    await waitUntilReady(layout, say);
  } catch (error) {
    if (!keep) await stopCluster(layout);
    throw error;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
