import { GatehouseError } from '../../lib/errors.ts';

/** Why a cluster did not come up or go down: a sentence, and the last lines of a log where they say more. */
export class ClusterError extends GatehouseError {
  readonly code = 'cluster_failed';
}
