/** Brings images into a cluster; there is no registry. */
import { imageBase, pause } from '../tools/parts.ts';
import { run } from '../tools/run.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';
import { runningState } from './state.ts';

/** Archives of the images that every cluster has: the sandbox, and Node on Debian for pods of tests. */
export const CLUSTER_IMAGES: readonly string[] = [pause.file('image.tar'), imageBase.file('image.tar')];

/** Imports archives (`docker save` or OCI) into the cluster's containerd. */
export async function loadImages(layout: Layout, archives: readonly string[]): Promise<void> {
  for (const archive of archives)
    await runOnNode(layout, ['ctr', '--namespace', 'k8s.io', 'images', 'import', archive]);
}

/** Runs a program in the network and with the mounts of the cluster's node. */
export function runOnNode(layout: Layout, command: readonly string[]): Promise<string> {
  const state = runningState(layout);
  if (state === undefined) throw new ClusterError(`The cluster ${layout.name} is not running.`);
  return run('nsenter', [`--target=${state.pid}`, '--net', '--mount', '--', ...command]);
}
