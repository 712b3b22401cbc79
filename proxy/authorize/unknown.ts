/** What a caller is told who may not: the same as if the thing did not exist, in the words of its protocol revision. */
import type { ClientMessage, Era, Target } from '../exchange.ts';
import { Refusal } from '../refusal.ts';

const INVALID_PARAMS = -32602;
const METHOD_NOT_FOUND = -32601;
/** Until 2025-11-25; 2026-07-28 forbids it. */
const RESOURCE_NOT_FOUND = -32002;

/** A target that no rule lets the caller know of. */
export function unknownTarget(target: Target, era: Era): Refusal {
  if (target.kind !== 'resource') {
    return new Refusal('access_denied', `Unknown ${target.kind}: ${target.name}`, { as: INVALID_PARAMS });
  }
  return new Refusal('access_denied', `Resource not found: ${target.uri}`, {
    as: era === 'legacy' ? RESOURCE_NOT_FOUND : INVALID_PARAMS,
    data: { uri: target.uri },
  });
}

/** A target that the caller may reach, but not by this request: only a condition stood in the way. */
export function conditionNotMet(target: Target): Refusal {
  const name = target.kind === 'resource' ? target.uri : target.name;
  return new Refusal(
    'access_denied',
    `The access rules of this gateway admit the ${target.kind} ${name}, but not with these arguments.`,
  );
}

/** A task that the caller did not make, or that nobody made. */
export function unknownTask(): Refusal {
  return new Refusal('access_denied', 'Unknown task.', { as: INVALID_PARAMS });
}

/** A method that is neither of the protocol nor granted. 2026-07-28 answers it with HTTP 404; a notification has no answer but its status. */
export function unknownMethod(message: { kind: ClientMessage['kind']; method: string }, era: Era): Refusal {
  return new Refusal('not_found', `Method not found: ${message.method}`, {
    as: METHOD_NOT_FOUND,
    status: message.kind === 'notification' ? 400 : era === 'modern' ? 404 : 200,
  });
}

/** `what`: the parameter, as the client would write it. */
export function invalidParams(what: string): Refusal {
  return new Refusal('bad_request', `${what} is missing or has the wrong form.`, { as: INVALID_PARAMS });
}
