/** An ApprovalRequest as it is kept: the custom resource's shape, in a file here and in the API server in a cluster. */
import { z } from 'zod';
import {
  approvalDemand,
  outcomeName,
  phase,
  requester,
  type ApprovalView,
  type Requester,
} from '../../crds/control.ts';
import { gatewayName } from '../../crds/bundle.ts';

export const verdict = z.enum(['Approve', 'Deny']);
export const MAX_COMMENT = 1024;

export const decision = z.object({
  /** Username of the person. */
  by: z.string(),
  issuer: z.string(),
  subject: z.string(),
  verdict,
  /** The channel that verified the person. */
  via: z.string(),
  at: z.iso.datetime(),
  comment: z.string().max(MAX_COMMENT).optional(),
});

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
  spec: z.object({
    gateway: z.string(),
    rule: approvalDemand.shape.rule,
    requester,
    call: approvalDemand.shape.call,
    expiresAt: z.iso.datetime(),
    decisions: z.array(decision),
  }),
  status: z.object({
    phase,
    outcome: outcomeName.optional(),
    /** When phase or outcome last changed. */
    lastTransitionTime: z.iso.datetime(),
  }),
});

export type ApprovalRequest = z.infer<typeof approvalRequest>;
export type Decision = z.infer<typeof decision>;
export type Verdict = z.infer<typeof verdict>;

/** A verified person: who decides. Compared with the requester as one person. */
export type Person = Omit<Requester, 'provider'>;

/** `namespace/name` of the gateway that the call came through. */
export function gatewayOf(request: ApprovalRequest): string {
  return gatewayName({ namespace: request.metadata.namespace, name: request.spec.gateway });
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
