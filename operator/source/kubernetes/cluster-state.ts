/** The state of a cluster at one moment, as far as the operator looks at it. */
import type { Snapshot } from '../snapshot.ts';
import type { Pod, Service } from './resources.ts';

/** What the API server keeps beside an object's spec. */
export interface ObjectFacts {
  readonly uid: string;
  readonly generation: number;
  /** ISO 8601. */
  readonly created: string;
  readonly status: unknown;
}

export interface ClusterSnapshot extends Snapshot {
  /** By kind and key: `McpGateway tools/orders`. */
  readonly facts: ReadonlyMap<string, ObjectFacts>;
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
}
