/** Groups of tests that need a cluster: run where there is one, and named as skipped, with the command, where not. */
import { afterAll, beforeAll, describe } from 'vitest';
import { bringUp, whyNoCluster } from '../../hack/cluster/bring-up.ts';
import { clusterNamed } from '../../hack/cluster/config.ts';
import { loadImages } from '../../hack/cluster/images.ts';
import { takeDown } from '../../hack/cluster/take-down.ts';
import { GATEHOUSE_IMAGE } from '../../hack/image/build.ts';
import { BASE_IMAGE } from '../../hack/tools/parts.ts';
import { Cluster } from './cluster.ts';
import { givenImages, givenKubeconfig, ownCluster, sharedCluster } from './config.ts';
import { testClusterName } from './names.ts';

const START_TIMEOUT = 300_000;
const TEST_TIMEOUT = 120_000;

/** `tests` gets a function that returns the cluster, once a test or a hook runs. */
export function describeWithCluster(name: string, tests: (cluster: () => Cluster) => void): void {
  const missing = givenKubeconfig === undefined ? whyNoCluster() : undefined;
  if (missing !== undefined) {
    describe.skip(`${name} (${missing})`, () => tests(() => neverUsed()));
    return;
  }
  describe(name, { timeout: TEST_TIMEOUT }, () => {
    let cluster: Cluster | undefined;
    beforeAll(async () => {
      cluster = await connect();
    }, START_TIMEOUT);
    afterAll(disconnect, START_TIMEOUT);
    tests(() => cluster ?? neverUsed());
  });
}

async function connect(): Promise<Cluster> {
  const images = {
    gatehouse: givenImages.gatehouse ?? GATEHOUSE_IMAGE,
    node: givenImages.node ?? BASE_IMAGE,
  };
  const layout = ownCluster();
  const kubeconfig = givenKubeconfig ?? layout?.kubeconfig ?? '';
  if (layout === undefined) return new Cluster({ kubeconfig, images });
  if (givenKubeconfig === undefined) await bringUp(layout, { keep: false, say: () => undefined });
  return new Cluster({ kubeconfig, images, load: (archive) => loadImages(layout, [archive]) });
}

/** A cluster that the run shares goes with the run. */
async function disconnect(): Promise<void> {
  if (givenKubeconfig === undefined && sharedCluster === undefined)
    await takeDown(clusterNamed(testClusterName()));
}

function neverUsed(): never {
  throw new Error('The cluster is there once the hooks of its group have run.');
}
