import type { ApprovalPhase, ControlProblem } from '../crds/control.ts';
import { GatehouseError } from '../lib/errors.ts';

/** Stable codes of what the operator's APIs refuse, and the HTTP status that each travels with. */
const STATUS = {
  bad_request: 400,
  unauthenticated: 401,
  not_allowed: 403,
  not_approver: 403,
  is_requester: 403,
  bad_host: 403,
  not_found: 404,
  method_not_allowed: 405,
  already_decided: 409,
  expired: 409,
  not_approved: 409,
  already_consumed: 409,
  digest_mismatch: 409,
  policy_changed: 409,
  outcome_settled: 409,
  conflict: 409,
  too_large: 413,
  too_many_pending: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ProblemCode = keyof typeof STATUS;

/** A refusal of the control or the admin API. */
export class Problem extends GatehouseError {
  readonly code: ProblemCode;
  /** HTTP. */
  readonly status: number;
  readonly phase: ApprovalPhase | undefined;

  constructor(code: ProblemCode, message: string, more: { phase?: ApprovalPhase; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.status = STATUS[code];
    this.phase = more.phase;
  }

  body(): ControlProblem {
    return { code: this.code, message: this.message, ...(this.phase && { phase: this.phase }) };
  }
}
