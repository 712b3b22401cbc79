/** Why a cluster did not come up or go down: one sentence, and the last lines of a log where one says more. */
export class ClusterError extends Error {}
