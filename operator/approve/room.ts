/** Bounds on what may wait at once: a client that retries in a loop must not bury the approvers. */
import type { ApprovalDemand } from '../../crds/control.ts';
import { Problem } from '../problem.ts';
import { gatewayOf, type ApprovalRequest } from './object.ts';

export const MAX_PENDING_PER_GATEWAY = 1000;
export const MAX_PENDING_PER_REQUESTER = 50;

/** Throws a Problem when there is no room for another request like this demand. */
export function checkRoom(known: readonly ApprovalRequest[], demand: ApprovalDemand): void {
  const pending = known.filter(
    (request) => request.status.phase === 'Pending' && gatewayOf(request) === demand.gateway,
  );
  const { issuer, subject } = demand.requester;
  const own = pending.filter(
    ({ spec }) => spec.requester.issuer === issuer && spec.requester.subject === subject,
  );
  if (pending.length < MAX_PENDING_PER_GATEWAY && own.length < MAX_PENDING_PER_REQUESTER) return;
  throw new Problem(
    'too_many_pending',
    own.length >= MAX_PENDING_PER_REQUESTER
      ? `${String(own.length)} calls of ${demand.requester.username} wait for approval already; wait for some to be decided.`
      : `${String(pending.length)} calls through ${demand.gateway} wait for approval already; wait for some to be decided.`,
  );
}
