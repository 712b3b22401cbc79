import type { NewRequest } from './life.ts';
import type { ApprovalRequest } from './object.ts';

/** Where ApprovalRequests are kept: a directory here, the API server in a cluster. A write that returned is durable. */
export interface ApprovalStore {
  /** As this process was told last. */
  get(id: string): Promise<ApprovalRequest | undefined>;
  /** As it is now, whoever wrote it; `get` says no less from then on. */
  latest(id: string): Promise<ApprovalRequest | undefined>;
  list(): Promise<readonly ApprovalRequest[]>;
  create(request: NewRequest): Promise<ApprovalRequest>;
  /**
   * Writes `request` if what is kept still has the resourceVersion it was made from, and returns it with the new
   * one; `undefined` when somebody else was first, or it is gone.
   */
  update(request: ApprovalRequest): Promise<ApprovalRequest | undefined>;
  remove(id: string): Promise<void>;
  /** Calls `listener` after every write, whoever made it; returns what ends that. */
  watch(listener: (request: ApprovalRequest) => void): () => void;
}
