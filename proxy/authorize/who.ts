import type { Who } from '../../crds/bundle.ts';
import type { Caller } from '../exchange.ts';

/** Compiles whom an access rule speaks of: any one match is enough. Names are compared exactly. */
export function compileWho(who: Who): (caller: Caller) => boolean {
  const users = new Set(who.users);
  const groups = new Set(who.groups);
  const serviceAccounts = new Set(who.serviceAccounts);
  const spiffeIds = new Set(who.spiffeIds);
  return (caller) => {
    // Nothing vouches for what an anonymous caller is called, so no name in a rule may match it.
    if (caller.anonymous) return who.anonymous;
    return (
      who.authenticated ||
      users.has(caller.username) ||
      users.has(caller.subject) ||
      caller.groups.some((group) => groups.has(group)) ||
      has(serviceAccounts, caller.serviceAccount) ||
      has(spiffeIds, caller.spiffeId)
    );
  };
}

function has(names: ReadonlySet<string>, name: string | undefined): boolean {
  return name !== undefined && names.has(name);
}
