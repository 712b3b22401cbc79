/**
 * The life of an ApprovalRequest as pure steps: Pending → Approved → Consumed → an outcome, or Denied, Expired or
 * Cancelled. A step returns the next object or throws a Problem; keeping it is the store's duty.
 */
import type { Delivery } from '../../crds/approval-request.ts';
import type { Approvers, Rule } from '../../crds/bundle.ts';
import type { ApprovalDemand, ApprovalPhase, OutcomeName } from '../../crds/control.ts';
import type { Notification } from '../../crds/notification.ts';
import { Problem } from '../problem.ts';
import type { ApprovalRequest, Person, Verdict } from './object.ts';
import { identified, samePerson, whoDecided } from './same-person.ts';
import type { KubernetesName } from './usernames.ts';

export type NewRequest = Omit<ApprovalRequest, 'metadata'> & {
  readonly metadata: Omit<ApprovalRequest['metadata'], 'resourceVersion'>;
};

export interface Ruling {
  readonly person: Person;
  readonly verdict: Verdict;
  readonly via: string;
  readonly comment: string | undefined;
}

const MAX_GROUPS = 256;

const ENDED: Readonly<Record<ApprovalPhase, string>> = {
  Pending: 'still waits for a decision',
  Approved: 'was approved',
  Denied: 'was denied',
  Expired: 'has expired',
  Cancelled: 'was cancelled, because the caller went away',
  Consumed: 'was approved and its call has run',
};

/** The object for a call that must wait. */
export function opened(
  demand: ApprovalDemand,
  rule: Rule,
  about: {
    id: string;
    now: number;
    kubernetesUsername?: string | undefined;
    notify?: readonly Notification[];
  },
): NewRequest {
  const [namespace = '', gateway = ''] = demand.gateway.split('/');
  const at = iso(about.now);
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'ApprovalRequest',
    metadata: { name: about.id, namespace, creationTimestamp: at },
    spec: {
      gateway,
      rule: demand.rule,
      // The kind has room for so many; approvers read them, nothing is decided by them.
      requester: {
        ...demand.requester,
        groups: demand.requester.groups.slice(0, MAX_GROUPS),
        ...(about.kubernetesUsername !== undefined && { kubernetesUsername: about.kubernetesUsername }),
      },
      approvers: rule.approvers,
      ...(about.notify !== undefined && about.notify.length > 0 && { notify: [...about.notify] }),
      call: demand.call,
      expiresAt: iso(about.now + rule.expiresAfterMs),
      decisions: [],
    },
    status: { phase: 'Pending', lastTransitionTime: at },
  };
}

/** Whether a repeated demand is answered with this request instead of a new one. */
export function answers(request: ApprovalRequest, demand: ApprovalDemand, now: number): boolean {
  const { spec, metadata, status } = request;
  return (
    ['Pending', 'Approved', 'Denied'].includes(status.phase) &&
    now < Date.parse(spec.expiresAt) &&
    `${metadata.namespace}/${spec.gateway}` === demand.gateway &&
    spec.requester.issuer === demand.requester.issuer &&
    spec.requester.subject === demand.requester.subject &&
    spec.call.digest === demand.call.digest &&
    spec.rule.name === demand.rule.name &&
    spec.rule.revision === demand.rule.revision
  );
}

/** Adds one person's verdict; `settled` says what follows from it. */
export function decided(
  request: ApprovalRequest,
  ruling: Ruling,
  about: { rule: Rule; now: number; names: KubernetesName },
): ApprovalRequest {
  const { person, verdict, via, comment } = ruling;
  checkApprover(request, person, { approvers: about.rule.approvers, names: about.names });
  checkUndecided(request, person, about.names);
  const decisions = [
    ...request.spec.decisions,
    {
      by: person.username,
      issuer: person.issuer,
      subject: person.subject,
      verdict,
      via,
      at: iso(about.now),
      ...(comment !== undefined && { comment }),
    },
  ];
  return { ...request, spec: { ...request.spec, decisions } };
}

/** The one step that lets a call run: an approved request is used up by it. */
export function consumed(request: ApprovalRequest, digest: string, now: number): ApprovalRequest {
  const { phase } = request.status;
  if (phase === 'Consumed') {
    throw new Problem('already_consumed', `${named(request)} was used already; a new approval is needed.`, {
      phase,
    });
  }
  if (phase !== 'Approved') {
    const code = phase === 'Expired' ? 'expired' : 'not_approved';
    throw new Problem(code, `${named(request)} ${ENDED[phase]}.`, { phase });
  }
  if (request.spec.call.digest !== digest) {
    throw new Problem('digest_mismatch', `${named(request)} was given for another call than this one.`, {
      phase,
    });
  }
  return moved(request, 'Consumed', now);
}

/** Notes how the call ended. What was unknown may become known; what is known stays. */
export function finished(request: ApprovalRequest, outcome: OutcomeName, now: number): ApprovalRequest {
  const { phase, outcome: known } = request.status;
  if (phase !== 'Consumed') {
    throw new Problem('not_approved', `${named(request)} ${ENDED[phase]}; no call of it ran.`, { phase });
  }
  if (known === outcome) return request;
  if (known !== undefined && known !== 'Unknown') {
    throw new Problem('outcome_settled', `The call of ${named(request)} ended as ${known} already.`, {
      phase,
    });
  }
  return { ...request, status: { ...told(request), phase, outcome, lastTransitionTime: iso(now) } };
}

/** The caller went away. A request that was decided meanwhile stays as it is, for the caller to find on return. */
export function cancelled(request: ApprovalRequest, now: number): ApprovalRequest {
  return request.status.phase === 'Pending' ? moved(request, 'Cancelled', now) : request;
}

function checkApprover(
  request: ApprovalRequest,
  person: Person,
  { approvers, names }: { approvers: Approvers; names: KubernetesName },
): void {
  if (!isApprover(person, approvers)) {
    throw new Problem(
      'not_approver',
      `${person.username} is not among the approvers of the rule ${request.spec.rule.name}.`,
    );
  }
  if (approvers.notTheRequester && isRequester(request, person, names)) {
    throw new Problem(
      'is_requester',
      `${person.username} made this call; the rule ${request.spec.rule.name} wants somebody else to decide.`,
    );
  }
}

function checkUndecided(request: ApprovalRequest, person: Person, names: KubernetesName): void {
  const { phase } = request.status;
  if (phase !== 'Pending') {
    const code = phase === 'Expired' ? 'expired' : 'already_decided';
    throw new Problem(code, `${named(request)} ${ENDED[phase]}.`, { phase });
  }
  const own = identified(request, person, names);
  if (request.spec.decisions.some((entry) => samePerson(own, whoDecided(request, entry, names)))) {
    throw new Problem('already_decided', `${person.username} has decided on ${named(request)} already.`, {
      phase,
    });
  }
}

/** Whether the rule lets this person decide, their own calls aside. */
export function isApprover(person: Person, approvers: Approvers): boolean {
  return (
    approvers.users.includes(person.username) ||
    person.groups.some((group) => approvers.groups.includes(group))
  );
}

export function isRequester(request: ApprovalRequest, person: Person, names: KubernetesName): boolean {
  const { kubernetesUsername, ...requester } = request.spec.requester;
  return samePerson(identified(request, person, names), { ...requester, kubernetes: kubernetesUsername });
}

/** The same request in its next phase. */
export function moved(request: ApprovalRequest, phase: ApprovalPhase, now: number): ApprovalRequest {
  return { ...request, status: { ...told(request), phase, lastTransitionTime: iso(now) } };
}

/** Notes what one channel was told. */
export function withDelivery(
  request: ApprovalRequest,
  channel: string,
  change: (known: Delivery | undefined) => Delivery,
): ApprovalRequest {
  const { notified = [] } = request.status;
  const known = notified.find((entry) => entry.channel === channel);
  const next = change(known);
  const all =
    known === undefined ? [...notified, next] : notified.map((entry) => (entry === known ? next : entry));
  return { ...request, status: { ...request.status, notified: all } };
}

/** What channels were told stays known, whatever becomes of the request. */
function told({ status: { notified } }: ApprovalRequest): Pick<ApprovalRequest['status'], 'notified'> {
  return notified === undefined ? {} : { notified };
}

function named(request: ApprovalRequest): string {
  return `The approval ${request.metadata.name}`;
}

function iso(now: number): string {
  return new Date(now).toISOString();
}
