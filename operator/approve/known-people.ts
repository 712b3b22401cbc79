/**
 * Who the accounts of Slack and Jira belong to. Channels know people by address or account, gateways by token: only
 * what the installation says makes them one, and whoever it does not name decides nothing there.
 */
import { z } from 'zod';
import type { Bundle } from '../../crds/bundle.ts';
import { Problem } from '../problem.ts';
import type { Person } from './object.ts';

const text = z.string().min(1).max(512);

export const knownPerson = z.strictObject({
  email: z.string().min(3).max(320),
  /** As the tokens of this issuer name them. */
  issuer: z.string().min(1).max(2048),
  subject: text,
  username: text,
  groups: z.array(text).max(256).default([]),
  /** Account id, where Jira does not show the address. */
  jira: text.optional(),
});

export type KnownPerson = z.output<typeof knownPerson>;

export interface KnownPeople {
  byEmail(email: string | undefined): KnownPerson | undefined;
  byJira(accountId: string, email: string | undefined): KnownPerson | undefined;
}

export function createKnownPeople(people: readonly KnownPerson[]): KnownPeople {
  const withEmail = (email: string | undefined): KnownPerson[] =>
    people.filter((person) => person.email.toLowerCase() === email?.toLowerCase());
  return {
    byEmail: (email) => only(withEmail(email)),
    // Whose account is known is known by nothing else.
    byJira: (accountId, email) =>
      only(people.filter(({ jira }) => jira === accountId)) ??
      only(withEmail(email).filter(({ jira }) => jira === undefined)),
  };
}

/** The person as a gateway knows them; throws a Problem when it would not believe a token of theirs. */
export function personAt(bundle: Bundle | undefined, known: KnownPerson): Person {
  const { issuer, subject, username, groups } = known;
  const isTrusted = bundle?.identity.some(
    (provider) => provider.kind === 'oidc' && provider.issuer === issuer,
  );
  if (isTrusted === true) return { issuer, subject, username, groups: [...groups] };
  throw new Problem('not_approver', `The gateway of this call does not know people of ${issuer}.`);
}

/** Two people with one address are nobody. */
function only(found: readonly KnownPerson[]): KnownPerson | undefined {
  return found.length === 1 ? found[0] : undefined;
}
