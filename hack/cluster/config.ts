/** The command line and the environment of the cluster commands. */
import { join } from 'node:path';
import { cacheDirectory } from '../tools/config.ts';
import { ClusterError } from './errors.ts';
import { layoutOf, type Layout } from './layout.ts';

export const clustersDirectory = join(cacheDirectory, 'clusters');

/** Throws ClusterError for a name that could not be a host name. */
export function clusterNamed(name: string): Layout {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
    throw new ClusterError(
      `"${name}" is no name for a cluster; use up to 31 lower-case letters, digits and dashes.`,
    );
  return layoutOf(name, clustersDirectory);
}
