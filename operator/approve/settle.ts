/** What follows from the decisions of people, whoever wrote them down. Pure. */
import { moved } from './life.ts';
import type { ApprovalRequest } from './object.ts';
import { KUBECTL, samePerson, whoDecided, type Identity } from './same-person.ts';
import type { KubernetesName } from './usernames.ts';

type Decision = ApprovalRequest['spec']['decisions'][number];

/** One denial ends a request; approvals end it when as many people approved as the rule demands. */
export function settled(request: ApprovalRequest, now: number, names: KubernetesName): ApprovalRequest {
  const { approvers, decisions } = request.spec;
  if (request.status.phase !== 'Pending' || approvers === undefined) return request;
  const counted = decisions.filter((entry) => counts(request, entry, names));
  if (counted.some(({ verdict }) => verdict === 'Deny')) return moved(request, 'Denied', now);
  const people = counted.reduce<Identity[]>((known, entry) => {
    const person = whoDecided(request, entry, names);
    return known.some((one) => samePerson(one, person)) ? known : [...known, person];
  }, []);
  return people.length >= approvers.count ? moved(request, 'Approved', now) : request;
}

/**
 * That whoever wrote with kubectl is an approver, the admission policy of the chart has checked, which alone knows
 * their groups. That they are not the requester can be known only where the requester has a name in Kubernetes.
 */
function counts(request: ApprovalRequest, entry: Decision, names: KubernetesName): boolean {
  const { approvers, requester } = request.spec;
  const { kubernetesUsername: kubernetes, ...account } = requester;
  if (entry.via === KUBECTL && kubernetes === undefined) return false;
  if (approvers?.notTheRequester !== true) return true;
  return !samePerson(whoDecided(request, entry, names), { ...account, kubernetes });
}
