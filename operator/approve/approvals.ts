/** The approvals of an installation: gathers, lets `life.ts` decide, keeps by compare-and-swap. */
import type { Rule } from '../../crds/bundle.ts';
import type { ApprovalDemand, OutcomeName } from '../../crds/control.ts';
import type { Delivery } from '../../crds/approval-request.ts';
import type { Notification } from '../../crds/notification.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { Problem } from '../problem.ts';
import {
  answers,
  cancelled,
  consumed,
  decided,
  finished,
  isRequester,
  opened,
  withDelivery,
  type Ruling,
} from './life.ts';
import { checkForm, gatewayOf, type ApprovalRequest, type Person } from './object.ts';
import { newId } from './id.ts';
import { checkRoom } from './room.ts';
import { settled } from './settle.ts';
import type { ApprovalStore } from './store.ts';
import { startSweeper } from './sweep.ts';
import { atTime, type Periods } from './time.ts';
import { noKubernetesNames, type KubernetesName } from './usernames.ts';
import { waitForDecision } from './wait.ts';

/** The rules that proxies are told to hold by, as the bundles in force have them. */
export interface RulesInForce {
  rule(gateway: string, name: string): Rule | undefined;
}

export interface ApprovalsDeps {
  readonly store: ApprovalStore;
  readonly rules: RulesInForce;
  /** Where the rule in force asks people; without it nowhere. */
  readonly notify?: (rule: string) => readonly Notification[];
  /** What Kubernetes calls people; without it nobody has a name there. */
  readonly names?: KubernetesName;
  readonly clock: Clock;
  readonly log: Logger;
  readonly periods: Periods;
}

type DeliveryChange = (known: Delivery | undefined) => Delivery;

/** Every method throws a Problem for what may not be. */
export interface Approvals {
  /** Finds the request that this demand belongs to, or opens one. */
  demand(demand: ApprovalDemand): Promise<ApprovalRequest>;
  get(id: string): Promise<ApprovalRequest>;
  list(): Promise<readonly ApprovalRequest[]>;
  /** The request as soon as it is no longer Pending, or as it is after `ms` or when `signal` is aborted. */
  wait(id: string, ms: number, signal: AbortSignal): Promise<ApprovalRequest>;
  decide(id: string, ruling: Ruling): Promise<ApprovalRequest>;
  isRequester(request: ApprovalRequest, person: Person): boolean;
  consume(id: string, digest: string): Promise<ApprovalRequest>;
  finish(id: string, outcome: OutcomeName): Promise<ApprovalRequest>;
  cancel(id: string): Promise<ApprovalRequest>;
  /** Writes down what a channel was told; `change` is given what was known of it. */
  noteDelivery(id: string, channel: string, change: DeliveryChange): Promise<ApprovalRequest>;
  /** Calls `listener` after every write; returns what ends that. */
  watch(listener: (request: ApprovalRequest) => void): () => void;
  /** Whoever ran approved calls has died: what they were doing has an unknown outcome. */
  abandonRunning(): Promise<void>;
  /** Does nothing more of its own accord, and returns when nothing of that is being written any more. */
  close(): Promise<void>;
}

const MAX_RACES = 16;

export function createApprovals(deps: ApprovalsDeps): Approvals {
  const { store, rules, clock, log, periods } = deps;
  const names = deps.names ?? noKubernetesNames;
  const sweeper = startSweeper(deps);
  const opening = new Map<string, Promise<ApprovalRequest>>();

  const current = (request: ApprovalRequest): ApprovalRequest => atTime(request, clock.now(), periods);

  const get = async (id: string): Promise<ApprovalRequest> => {
    const request = await store.get(id);
    if (request === undefined) throw new Problem('not_found', 'There is no such approval.');
    return current(request);
  };

  /**
   * Undefined when what this replica was told last was old. Nothing is refused by that: the replica that was asked
   * before may have taken a step which this one has not heard of.
   */
  const taken = async (
    request: ApprovalRequest,
    take: (request: ApprovalRequest) => ApprovalRequest,
  ): Promise<ApprovalRequest | undefined> => {
    try {
      return take(request);
    } catch (refusal) {
      const { name, resourceVersion } = request.metadata;
      const latest = await store.latest(name);
      if (latest === undefined || latest.metadata.resourceVersion === resourceVersion) throw refusal;
      return undefined;
    }
  };

  /** Takes one step from whatever is kept; when somebody else was first, looks again. */
  const step = async (
    id: string,
    take: (request: ApprovalRequest) => ApprovalRequest,
  ): Promise<ApprovalRequest> => {
    for (let race = 0; race < MAX_RACES; race += 1) {
      const request = await get(id);
      const next = await taken(request, take);
      if (next === undefined) continue;
      if (next === request) return request;
      checkForm(next);
      const kept = await store.update(next);
      if (kept !== undefined) {
        log.info({ approval: id, gateway: gatewayOf(kept), phase: kept.status.phase }, 'approval changed');
        return kept;
      }
    }
    throw new Problem('conflict', `The approval ${id} is being changed by too many at once; try again.`);
  };

  const ruleInForce = (gateway: string, wanted: { name: string; revision: string }): Rule => {
    const rule = rules.rule(gateway, wanted.name);
    if (rule?.revision !== wanted.revision || rule.effect !== 'RequireApproval') {
      throw new Problem(
        'policy_changed',
        `The rule ${wanted.name} was changed or removed since the call was made; the call must be made again.`,
      );
    }
    return rule;
  };

  const findOrOpen = async (demand: ApprovalDemand): Promise<ApprovalRequest> => {
    const rule = ruleInForce(demand.gateway, demand.rule);
    const known = (await store.list()).map(current);
    const found = known.find((request) => answers(request, demand, clock.now()));
    if (found !== undefined) return found;
    checkRoom(known, demand);
    const request = opened(demand, rule, {
      id: newId(demand.gateway),
      now: clock.now(),
      kubernetesUsername: names(demand.gateway, demand.requester),
      notify: deps.notify?.(rule.name) ?? [],
    });
    checkForm(request);
    const created = await store.create(request);
    log.info(
      { approval: created.metadata.name, gateway: demand.gateway, rule: rule.name },
      'approval opened',
    );
    return created;
  };

  const settle = (id: string): Promise<ApprovalRequest> =>
    step(id, (request) => settled(request, clock.now(), names));
  const settling = new Set<Promise<unknown>>();
  // Decisions are written by people with kubectl too, and by an operator that died before it drew the conclusion.
  const unwatch = store.watch((request) => {
    if (settled(current(request), clock.now(), names).status.phase === request.status.phase) return;
    const mine = settle(request.metadata.name)
      .catch((error: unknown) =>
        log.error({ approval: request.metadata.name, err: error }, 'A decision could not be put in force.'),
      )
      .finally(() => settling.delete(mine));
    settling.add(mine);
  });

  return {
    get,
    demand: (demand) => {
      // Two demands for one call must not open two requests, so those of a gateway go one after the other.
      const before = opening.get(demand.gateway) ?? Promise.resolve();
      const mine = before.then(
        () => findOrOpen(demand),
        () => findOrOpen(demand),
      );
      opening.set(demand.gateway, mine);
      return mine;
    },
    list: async () => (await store.list()).map(current),
    wait: (id, ms, signal) => waitForDecision({ id, ms, signal }, { store, clock, get }),
    decide: async (id, ruling) => {
      await step(id, (request) =>
        decided(request, ruling, {
          rule: ruleInForce(gatewayOf(request), request.spec.rule),
          now: clock.now(),
          names,
        }),
      );
      return settle(id);
    },
    isRequester: (request, person) => isRequester(request, person, names),
    consume: (id, digest) =>
      step(id, (request) => {
        const next = consumed(request, digest, clock.now());
        ruleInForce(gatewayOf(request), request.spec.rule);
        return next;
      }),
    finish: (id, outcome) => step(id, (request) => finished(request, outcome, clock.now())),
    cancel: (id) => step(id, (request) => cancelled(request, clock.now())),
    noteDelivery: (id, channel, change) => step(id, (request) => withDelivery(request, channel, change)),
    watch: (listener) => store.watch(listener),
    abandonRunning: async () => {
      for (const { metadata, status } of await store.list()) {
        if (status.phase !== 'Consumed' || status.outcome !== undefined) continue;
        await step(metadata.name, (request) => finished(request, 'Unknown', clock.now()));
      }
    },
    close: async () => {
      unwatch();
      await Promise.all([sweeper.close(), ...settling]);
    },
  };
}
