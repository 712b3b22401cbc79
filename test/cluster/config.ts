/** Which cluster the tests use: the environment, read once. */

/** A cluster that is there already. Not KUBECONFIG, which may well be that of a cluster people depend on. */
export const givenKubeconfig = process.env['GATEHOUSE_TEST_KUBECONFIG'];

/** The cluster that all files of a run share; without it, each file brings up one of its own. */
export const sharedCluster = process.env['GATEHOUSE_TEST_CLUSTER'];

export function shareCluster(name: string): void {
  process.env['GATEHOUSE_TEST_CLUSTER'] = name;
}

/** Images as a given cluster can pull them; the clusters of this machine have their own. */
export const givenImages = {
  gatehouse: process.env['GATEHOUSE_TEST_IMAGE'],
  node: process.env['GATEHOUSE_TEST_NODE_IMAGE'],
};
