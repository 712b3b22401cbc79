/** Approvals as the proxy sees them: asked for, waited for, consumed once. */
import { approvalView, type ApprovalDemand, type ApprovalView, type OutcomeName } from '#control';
import type { ControlClient } from './client.ts';

export interface Approvals {
  /** Finds the request that this very call already has, or creates one. */
  demand(demand: ApprovalDemand): Promise<ApprovalView>;
  /** Comes back when it is no longer Pending, or after `waitMs`. */
  wait(id: string, waitMs: number, signal: AbortSignal): Promise<ApprovalView>;
  /** Compare-and-swap from Approved to Consumed. Throws ControlRefused when the call may not run. */
  consume(id: string, digest: string): Promise<ApprovalView>;
  outcome(id: string, outcome: OutcomeName): Promise<void>;
  cancel(id: string): Promise<void>;
}

export function createApprovals(client: ControlClient): Approvals {
  const path = (id: string, rest = ''): string => `/v1/approvals/${encodeURIComponent(id)}${rest}`;
  return {
    demand: (demand) => client.ask({ method: 'POST', path: '/v1/approvals', body: demand }, approvalView),
    wait: (id, waitMs, signal) =>
      client.ask(
        { method: 'GET', path: path(id, `?wait=${waitMs}`), signal, timeoutMs: waitMs + 10_000 },
        approvalView,
      ),
    consume: (id, digest) =>
      client.ask({ method: 'POST', path: path(id, '/consume'), body: { digest } }, approvalView),
    outcome: (id, outcome) => client.tell({ method: 'POST', path: path(id, '/outcome'), body: { outcome } }),
    cancel: (id) => client.tell({ method: 'POST', path: path(id, '/cancel'), body: {} }),
  };
}
