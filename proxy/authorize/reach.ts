/** What a message of the client reaches. Which caller may reach it is decided elsewhere. */
import type { ClientNotification, ClientRequest, Era, Target } from '../exchange.ts';

export type Reach =
  /** Nothing that belongs to anybody: any identified caller may. */
  | { readonly kind: 'open' }
  /** All targets must be granted, and what each of the tasks was made by. */
  | { readonly kind: 'targets'; readonly targets: readonly Target[]; readonly taskIds: readonly string[] }
  /** A method that the protocol does not know; only `methods` of a rule grant it. */
  | { readonly kind: 'vendor' }
  /** A method that the revision no longer has; nobody is granted it. */
  | { readonly kind: 'removed' }
  /** The message does not say what it wants to reach; `missing` is the member that should. */
  | { readonly kind: 'unclear'; readonly missing: string };

type Params = Readonly<Record<string, unknown>>;

const OPEN: Reach = { kind: 'open' };
const open = (): Reach => OPEN;

const REQUESTS = new Map<string, (request: ClientRequest) => Reach>([
  ['initialize', open],
  ['ping', open],
  ['server/discover', open],
  ['logging/setLevel', open],
  // Lists come back without what the caller may not see.
  ['tools/list', open],
  ['prompts/list', open],
  ['resources/list', open],
  ['resources/templates/list', open],
  ['tools/call', ({ target }) => aimed(target, 'params.name')],
  ['prompts/get', ({ target }) => aimed(target, 'params.name')],
  ['resources/read', ({ target }) => aimed(target, 'params.uri')],
  ['resources/subscribe', ({ target }) => aimed(target, 'params.uri')],
  ['resources/unsubscribe', ({ target }) => aimed(target, 'params.uri')],
  ['completion/complete', ({ params }) => completed(params['ref'])],
  ['subscriptions/listen', ({ params }) => listened(params['notifications'])],
  ['tasks/get', ({ params }) => task(params)],
  ['tasks/result', ({ params }) => task(params)],
  ['tasks/update', ({ params }) => task(params)],
  ['tasks/cancel', ({ params }) => task(params)],
]);

const OPEN_NOTIFICATIONS = new Set([
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
]);

/** 2026-07-28 took these out: subscriptions/listen and tasks/get stand in for them. */
const REMOVED_IN_MODERN = new Set(['resources/subscribe', 'resources/unsubscribe', 'tasks/result']);

/** Classifies a request or notification. Never throws. */
export function reachOf(message: ClientRequest | ClientNotification, era: Era): Reach {
  if (era === 'modern' && REMOVED_IN_MODERN.has(message.method)) return { kind: 'removed' };
  if (message.kind === 'request') return REQUESTS.get(message.method)?.(message) ?? { kind: 'vendor' };
  if (OPEN_NOTIFICATIONS.has(message.method)) return OPEN;
  // A request without an id would be run and never answered, past everyone who looks at requests.
  return REQUESTS.has(message.method) ? { kind: 'unclear', missing: 'id' } : { kind: 'vendor' };
}

function aimed(target: Target | undefined, missing: string): Reach {
  return target === undefined ? { kind: 'unclear', missing } : targets([target]);
}

function completed(ref: unknown): Reach {
  if (!isObject(ref)) return { kind: 'unclear', missing: 'params.ref' };
  const { type, name, uri } = ref;
  if (type === 'ref/prompt' && typeof name === 'string') return targets([{ kind: 'prompt', name }]);
  if (type === 'ref/resource' && typeof uri === 'string') return targets([{ kind: 'resource', uri }]);
  return { kind: 'unclear', missing: 'params.ref' };
}

/** 2026-07-28, Subscriptions: change notices of lists are open, each resource and each task is one to be granted. */
function listened(filter: unknown): Reach {
  if (!isObject(filter)) return { kind: 'unclear', missing: 'params.notifications' };
  const uris = strings(filter['resourceSubscriptions']);
  if (uris === undefined) return { kind: 'unclear', missing: 'params.notifications.resourceSubscriptions' };
  const taskIds = strings(filter['taskIds']);
  if (taskIds === undefined) return { kind: 'unclear', missing: 'params.notifications.taskIds' };
  return targets(
    uris.map((uri) => ({ kind: 'resource', uri })),
    taskIds,
  );
}

function task(params: Params): Reach {
  const taskId = params['taskId'];
  return typeof taskId === 'string' ? targets([], [taskId]) : { kind: 'unclear', missing: 'params.taskId' };
}

function targets(reached: readonly Target[], taskIds: readonly string[] = []): Reach {
  return { kind: 'targets', targets: reached, taskIds };
}

/** No list is an empty list; anything but a list of strings is undefined. */
function strings(value: unknown = []): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

function isObject(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
