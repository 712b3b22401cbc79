/** Whether two accounts are one person. Where in doubt they are: nobody approves their own call by another login. */
import { gatewayOf, type ApprovalRequest, type Person } from './object.ts';
import type { KubernetesName } from './usernames.ts';

export interface Identity {
  /** With subject; absent for a person whom Kubernetes alone knows. */
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly username: string;
  /** What Kubernetes calls them. */
  readonly kubernetes?: string | undefined;
}

type Decision = ApprovalRequest['spec']['decisions'][number];

export const KUBECTL = 'kubectl';

/** A person with a token, and what Kubernetes calls them. */
export function identified(request: ApprovalRequest, person: Person, names: KubernetesName): Identity {
  return { ...person, kubernetes: names(gatewayOf(request), person) };
}

/** The person behind a decision: a user of Kubernetes, or somebody whose token the operator verified. */
export function whoDecided(request: ApprovalRequest, entry: Decision, names: KubernetesName): Identity {
  const { by: username, via, issuer, subject } = entry;
  if (via === KUBECTL) return { username, kubernetes: username };
  const person = { username, issuer, subject };
  return { ...person, kubernetes: names(gatewayOf(request), person) };
}

/** One name at two issuers is taken for one person, and so is one name in Kubernetes. */
export function samePerson(one: Identity, other: Identity): boolean {
  const sameAccount =
    one.subject !== undefined && one.issuer === other.issuer && one.subject === other.subject;
  const sameUser = one.kubernetes !== undefined && one.kubernetes === other.kubernetes;
  return sameAccount || sameUser || one.username === other.username;
}
