/** Lets all files of a test run share one cluster, which the first that needs it brings up, and takes it down after. */
import { readdirSync } from 'node:fs';
import { clusterNamed, clustersDirectory } from '../../hack/cluster/config.ts';
import { isLeftOver } from '../../hack/cluster/stop.ts';
import { takeDown } from '../../hack/cluster/take-down.ts';
import { shareCluster } from './config.ts';
import { isTestCluster, testClusterName } from './names.ts';

export async function setup(): Promise<() => Promise<void>> {
  for (const name of abandoned()) await takeDown(clusterNamed(name));
  const name = testClusterName();
  shareCluster(name);
  return async () => {
    // The run may have needed none, on a machine that could not have one.
    if (isLeftOver(clusterNamed(name))) await takeDown(clusterNamed(name));
  };
}

/** Clusters of test runs that were killed. */
function abandoned(): readonly string[] {
  return existing().filter((name) => isTestCluster(name) === 'abandoned');
}

function existing(): readonly string[] {
  try {
    return readdirSync(clustersDirectory);
  } catch {
    // No cluster ever ran on this machine.
    return [];
  }
}
