import { isApprover } from '../approve/life.ts';
import type { Approvals } from '../approve/approvals.ts';
import { gatewayOf, type ApprovalRequest } from '../approve/object.ts';
import { Problem } from '../problem.ts';
import type { BundleBoard } from '../publish/bundle-board.ts';
import type { Visitor } from './people.ts';

/** What a visitor has to do with a request. */
export interface Standing {
  readonly isApprover: boolean;
  readonly isRequester: boolean;
}

export interface StandingDeps {
  readonly approvals: Pick<Approvals, 'isRequester'>;
  readonly board: Pick<BundleBoard, 'rule'>;
}

/** A gateway that does not know a person has nothing to do with them. */
export function standingOf(
  request: ApprovalRequest,
  visitor: Visitor,
  { approvals, board }: StandingDeps,
): Standing {
  const gateway = gatewayOf(request);
  try {
    const person = visitor.at(gateway);
    const approvers = board.rule(gateway, request.spec.rule.name)?.approvers;
    return {
      isApprover: approvers !== undefined && isApprover(person, approvers),
      isRequester: approvals.isRequester(request, person),
    };
  } catch (error) {
    if (error instanceof Problem) return { isApprover: false, isRequester: false };
    throw error;
  }
}

/** What a call was about is shown to those who decide on it and to the one who made it. */
export function maySee(request: ApprovalRequest, visitor: Visitor, deps: StandingDeps): boolean {
  const standing = standingOf(request, visitor, deps);
  return standing.isApprover || standing.isRequester;
}

/** Throws a Problem when the request is not for the visitor's eyes. */
export function checkMaySee(request: ApprovalRequest, visitor: Visitor, deps: StandingDeps): void {
  if (maySee(request, visitor, deps)) return;
  throw new Problem(
    'not_approver',
    `Only approvers of the rule ${request.spec.rule.name} and whoever made the call may see it.`,
  );
}

export function newestFirst(one: ApprovalRequest, other: ApprovalRequest): number {
  return Date.parse(other.metadata.creationTimestamp) - Date.parse(one.metadata.creationTimestamp);
}
