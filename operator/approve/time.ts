/** What time alone does to an ApprovalRequest. Every read goes through here, so that no late timer keeps one alive. */
import { finished, moved } from './life.ts';
import type { ApprovalRequest } from './object.ts';

export interface Periods {
  /** How long a request is kept after its last change, once it can change no more. */
  readonly retentionMs: number;
  /** How long a call that was let through may run before its outcome counts as unknown. */
  readonly runMs: number;
}

/** The request as it stands at `now`. */
export function atTime(request: ApprovalRequest, now: number, periods: Periods): ApprovalRequest {
  const due = nextChangeAt(request, periods);
  if (due === undefined || now < due) return request;
  return request.status.phase === 'Consumed'
    ? finished(request, 'Unknown', now)
    : moved(request, 'Expired', now);
}

/** When `atTime` or `isForgotten` will next say something new; milliseconds since the epoch. */
export function dueAt(request: ApprovalRequest, periods: Periods): number {
  return nextChangeAt(request, periods) ?? forgottenAt(request, periods);
}

/** Whether the request has been kept long enough. */
export function isForgotten(request: ApprovalRequest, now: number, periods: Periods): boolean {
  return nextChangeAt(request, periods) === undefined && now >= forgottenAt(request, periods);
}

function nextChangeAt(request: ApprovalRequest, periods: Periods): number | undefined {
  const { phase, outcome, lastTransitionTime } = request.status;
  if (phase === 'Pending' || phase === 'Approved') return Date.parse(request.spec.expiresAt);
  if (phase === 'Consumed' && outcome === undefined) return Date.parse(lastTransitionTime) + periods.runMs;
  return undefined;
}

/** A denial answers repeated demands until it expires, however short the retention. */
function forgottenAt(request: ApprovalRequest, periods: Periods): number {
  const kept = Date.parse(request.status.lastTransitionTime) + periods.retentionMs;
  return Math.max(kept, Date.parse(request.spec.expiresAt));
}
