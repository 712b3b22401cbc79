/** Stage 3: may this caller reach this tool, prompt, resource or method? What no rule grants is refused. */
import type { AccessRule } from '../../crds/bundle.ts';
import type {
  Authorized,
  Caller,
  ClientMessage,
  ClientNotification,
  ClientRequest,
  Identified,
  Target,
} from '../exchange.ts';
import { compileGrant, nameOf, type Grant, type Viewer, type Wish } from './grant.ts';
import { reachOf } from './reach.ts';
import { conditionNotMet, invalidParams, unknownMethod, unknownTarget, unknownTask } from './unknown.ts';

export type { Viewer } from './grant.ts';

export interface Access {
  /** Throws a Refusal for what no rule grants. */
  authorize<M extends ClientMessage>(exchange: Identified<M>): Authorized<M>;
  /** Whether the caller may know of it: there is a request with which it would be let through. */
  visible(viewer: Viewer, target: Target): boolean;
}

export interface AccessDeps {
  /** What made the task, if this caller made it; sessions remember that. Without it no task is granted. */
  readonly taskTarget?: (caller: Caller, taskId: string) => Target | undefined;
}

/** Compiles the access rules of a gateway. Throws CelError for a condition that does not compile. */
export function compileAccess(rules: readonly AccessRule[], deps: AccessDeps = {}): Access {
  const grants = rules.map(compileGrant);
  const visible = (viewer: Viewer, target: Target): boolean => isVisible(grants, viewer, target);

  const check = (exchange: Call): void => {
    const { message, caller, session } = exchange;
    const reach = reachOf(message, session.era);
    switch (reach.kind) {
      case 'open':
        return;
      case 'removed':
        throw unknownMethod(message, session.era);
      case 'unclear':
        throw invalidParams(reach.missing);
      case 'vendor':
        if (!admitsMethod(grants, exchange)) throw unknownMethod(message, session.era);
        return;
      case 'targets':
        for (const target of [...reach.targets, ...reach.taskIds.map((id) => taskTarget(caller, id, deps))]) {
          checkTarget(grants, exchange, target);
        }
    }
  };

  return {
    authorize: (exchange) => {
      // An answer to the server's own question was asked for; the session knows whether this one was.
      if (isCall(exchange)) check(exchange);
      return { ...exchange, authorized: true };
    },
    visible,
  };
}

function isCall(exchange: Identified): exchange is Call {
  return exchange.message.kind !== 'response';
}

type Call = Identified<ClientRequest | ClientNotification>;

/** How each kind is reached, for conditions that look at the method. */
const REACHED_BY = { tool: 'tools/call', prompt: 'prompts/get', resource: 'resources/read' };
/** They speak of a call that is made elsewhere, or is yet to be made, so they carry none of its arguments. */
const WITHOUT_ARGUMENTS = /^(completion|tasks)\//;
const CONTROL_CHARACTER = /\p{Cc}/u;

function checkTarget(grants: readonly Grant[], exchange: Call, target: Target): void {
  if (admitsTarget(grants, exchange, { ...wishOf(exchange.message), target })) return;
  throw isVisible(grants, exchange, target)
    ? conditionNotMet(target)
    : unknownTarget(target, exchange.session.era);
}

function isVisible(grants: readonly Grant[], viewer: Viewer, target: Target): boolean {
  return admitsTarget(grants, viewer, { method: REACHED_BY[target.kind], target, text: undefined });
}

function admitsTarget(grants: readonly Grant[], viewer: Viewer, wish: Wish & { target: Target }): boolean {
  // Nothing is normalized; what could be read in two ways is not there.
  if (CONTROL_CHARACTER.test(nameOf(wish.target))) return false;
  return grants.some(
    (grant) => grant.speaksOf(viewer.caller) && grant.covers(wish.target) && grant.admits(viewer, wish),
  );
}

function admitsMethod(grants: readonly Grant[], exchange: Call): boolean {
  const wish = { ...wishOf(exchange.message), target: undefined };
  return grants.some(
    (grant) =>
      grant.speaksOf(exchange.caller) && grant.coversMethod(wish.method) && grant.admits(exchange, wish),
  );
}

function wishOf({ method, text }: Call['message']): Omit<Wish, 'target'> {
  return { method, text: WITHOUT_ARGUMENTS.test(method) ? undefined : text };
}

function taskTarget(caller: Caller, taskId: string, deps: AccessDeps): Target {
  const target = deps.taskTarget?.(caller, taskId);
  if (target === undefined) throw unknownTask();
  return target;
}
