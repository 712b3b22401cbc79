/** An ApprovalRequest as it is kept: the custom resource's shape, in a file here and in the API server in a cluster. */
import { z } from 'zod';
import { approvalRequestSpec, approvalRequestStatus } from '../../crds/approval-request.ts';
import { gatewayName } from '../../crds/bundle.ts';
import type { ApprovalView, Requester } from '../../crds/control.ts';
import { Problem } from '../problem.ts';

export const verdict = z.enum(['Approve', 'Deny']);
export const MAX_COMMENT = 1024;

export const approvalRequest = z.object({
  apiVersion: z.literal('gatehouse.dev/v1alpha1'),
  kind: z.literal('ApprovalRequest'),
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    /** Changes with every write; an update names the one it was made from. */
    resourceVersion: z.string(),
    creationTimestamp: z.iso.datetime(),
  }),
  spec: approvalRequestSpec,
  status: approvalRequestStatus.required({ phase: true, lastTransitionTime: true }),
});

export type ApprovalRequest = z.infer<typeof approvalRequest>;
export type Verdict = z.infer<typeof verdict>;

/** A verified person: who decides. Compared with the requester as one person. */
export type Person = Omit<Requester, 'provider'>;

/** `namespace/name` of the gateway that the call came through. */
export function gatewayOf(request: ApprovalRequest): string {
  return gatewayName({ namespace: request.metadata.namespace, name: request.spec.gateway });
}

/** Throws a Problem for what the kind has no room for: what is written must be readable after a restart. */
export function checkForm(request: Pick<ApprovalRequest, 'spec'>): void {
  const [issue] = approvalRequestSpec.safeParse(request.spec).error?.issues ?? [];
  if (issue === undefined) return;
  throw new Problem('bad_request', `An approval cannot hold spec.${issue.path.join('.')}: ${issue.message}.`);
}

/** What a proxy is told of a request. */
export function viewOf(request: ApprovalRequest): ApprovalView {
  const { decisions, expiresAt } = request.spec;
  const comment = decisions.findLast((entry) => entry.comment !== undefined)?.comment;
  return {
    id: request.metadata.name,
    phase: request.status.phase,
    expiresAt,
    decidedBy: decisions.map(({ by }) => by),
    ...(comment !== undefined && { comment }),
  };
}
