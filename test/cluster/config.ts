/** Which cluster the tests use: the environment, read once. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { clusterNamed } from '../../hack/cluster/config.ts';
import type { Layout } from '../../hack/cluster/layout.ts';
import { testClusterName } from './names.ts';

/** A cluster that is there already. Not KUBECONFIG, which may well be that of a cluster people depend on. */
export const givenKubeconfig = process.env['GATEHOUSE_TEST_KUBECONFIG'];

/** The cluster that all files of a run share; without it, each file brings up one of its own. */
export const sharedCluster = process.env['GATEHOUSE_TEST_CLUSTER'];

export function shareCluster(name: string): void {
  process.env['GATEHOUSE_TEST_CLUSTER'] = name;
}

/**
 * The cluster of this machine that the tests run on, given or not, to which images can be brought and on whose node
 * programs can be run; undefined for any other.
 */
export function ownCluster(): Layout | undefined {
  if (givenKubeconfig === undefined) return clusterNamed(sharedCluster ?? testClusterName());
  const name = basename(dirname(resolve(givenKubeconfig)));
  const layout = clusterNamed(name);
  return existsSync(layout.kubeconfig) && realpathSync(layout.kubeconfig) === realpathSync(givenKubeconfig)
    ? layout
    : undefined;
}

/** Images as a given cluster can pull them; the clusters of this machine have their own. */
export const givenImages = {
  gatehouse: process.env['GATEHOUSE_TEST_IMAGE'],
  node: process.env['GATEHOUSE_TEST_NODE_IMAGE'],
};
