/** Brings the cluster to what the last state says: the statuses, the network policies, the events. One key an object. */
import { objectKey, type McpGateway, type PolicyObject } from '#crds';
import { gatewayName, type Bundle } from '../../crds/bundle.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { ObjectConditions } from '../compile/index.ts';
import type { ClusterSnapshot } from '../source/kubernetes/cluster-state.ts';
import { selectedPods, type SelectedPod } from '../source/kubernetes/guarded-pods.ts';
import { startWorkQueue } from '../source/kubernetes/work-queue.ts';
import { controllerOf, notInjected, regardingPod } from './events.ts';
import { networkPolicyOf } from './network-policy.ts';
import { isWritten, statusOf, wantedOfGateway, wantedOfPolicy, type Wanted } from './status.ts';
import { NotLeading, type ClusterWriter } from './writer.ts';

export interface DesiredState {
  readonly snapshot: ClusterSnapshot;
  readonly objects: readonly ObjectConditions[];
  readonly bundles: readonly Bundle[];
  /** Digest of what injection would write into pods of a gateway now; `undefined` where it is not known. */
  readonly injection: (gateway: McpGateway) => string | undefined;
}

export interface Reconciler {
  /** Takes the newest state; what differs from the cluster is written, by who leads. */
  take(state: DesiredState): void;
  /** Looks at everything again, as who has just begun to lead must. */
  resync(): void;
  stop(): Promise<void>;
}

const QUEUE = { parallel: 4, firstBackoffMs: 200, mostBackoffMs: 60_000 };

export function startReconciler(deps: {
  writer: ClusterWriter;
  leads: () => boolean;
  clock: Clock;
  log: Logger;
  random: () => number;
}): Reconciler {
  const { writer, clock } = deps;
  let state: Arranged | undefined;
  /** Pods whose missing sidecar was told of; asking the API server every time would be in vain. */
  const told = new Set<string>();
  /** What is known to be written of each gateway's network policy; 'none' where it has none. */
  const networks = new Map<string, string>();

  const reconcileStatus = async (key: string, { desired, pods }: Arranged): Promise<void> => {
    const object = desired.objects.find((entry) => keyOf(entry) === key);
    const facts = desired.snapshot.facts.get(key);
    if (object === undefined || facts === undefined) return;
    const status = statusOf(wantedOf(object, desired, pods), {
      generation: facts.generation,
      now: clock.now(),
      before: facts.status,
    });
    if (!isWritten(status, facts.status)) await writer.status(object, status);
  };
  const reconcileNetwork = async (key: string, { desired }: Arranged): Promise<void> => {
    const gateway = desired.snapshot.gateways.find((entry) => `McpGateway ${objectKey(entry)}` === key);
    const facts = desired.snapshot.facts.get(key);
    if (gateway === undefined || facts === undefined) return;
    const policy = networkPolicyOf(gateway, facts.uid);
    const wanted = policy === undefined ? 'none' : JSON.stringify(policy);
    if (networks.get(key) === wanted) return;
    if (policy === undefined) await writer.noNetworkPolicy(gateway.metadata);
    else await writer.networkPolicy(policy);
    networks.set(key, wanted);
  };
  const reconcilePod = async (uid: string, { desired, pods }: Arranged): Promise<void> => {
    const selected = pods.find(({ pod }) => pod.metadata.uid === uid);
    if (selected === undefined || selected.guarded) return;
    const { namespace, ownerReferences } = selected.pod.metadata;
    const owner = controllerOf(ownerReferences, namespace) ?? regardingPod(selected);
    const created = desired.snapshot.facts.get(`McpGateway ${selected.gateway}`)?.created ?? '';
    await writer.event(notInjected(selected, await writer.ownerOf(owner), created), clock.now());
    told.add(uid);
  };
  const work = async (key: string): Promise<void> => {
    if (state === undefined || !deps.leads()) return;
    try {
      if (key.startsWith(POD)) {
        await reconcilePod(key.slice(POD.length), state);
        return;
      }
      await reconcileStatus(key, state);
      await reconcileNetwork(key, state);
    } catch (error) {
      // Who leads now looks at everything by itself.
      if (!(error instanceof NotLeading)) throw error;
    }
  };
  const queue = startWorkQueue({ ...QUEUE, work }, deps);
  const enqueue = ({ desired, pods }: Arranged): void => {
    for (const object of desired.objects) queue.add(keyOf(object));
    const bare = pods.filter(({ guarded, pod }) => !guarded && !told.has(pod.metadata.uid));
    for (const { pod } of bare) queue.add(`${POD}${pod.metadata.uid}`);
  };

  return {
    take: (desired) => {
      state = { desired, pods: selectedPods(desired.snapshot) };
      forgetAllBut(told, new Set(state.pods.map(({ pod }) => pod.metadata.uid)));
      forgetAllBut(networks, desired.snapshot.facts);
      if (deps.leads()) enqueue(state);
    },
    resync: () => {
      // What another leader did meanwhile is not known.
      networks.clear();
      if (state !== undefined) enqueue(state);
    },
    stop: () => queue.stop(),
  };
}

interface Arranged {
  readonly desired: DesiredState;
  readonly pods: readonly SelectedPod[];
}

const POD = 'Pod ';

function keyOf(object: { kind: PolicyObject['kind']; namespace: string; name: string }): string {
  return `${object.kind} ${object.namespace}/${object.name}`;
}

function wantedOf(object: ObjectConditions, desired: DesiredState, pods: readonly SelectedPod[]): Wanted {
  const name = `${object.namespace}/${object.name}`;
  const gateway = desired.snapshot.gateways.find((entry) => objectKey(entry) === name);
  if (object.kind !== 'McpGateway') return wantedOfPolicy(object);
  if (gateway === undefined) return { conditions: object.conditions, members: {} };
  const bundle = desired.bundles.find((entry) => gatewayName(entry.gateway) === name);
  const answering = pods.filter((pod) => pod.gateway === name);
  return wantedOfGateway({
    object,
    interception: gateway.spec.interception,
    past: servicesPast(gateway, desired.snapshot.services, answering),
    revision: bundle?.revision,
    pods: {
      answering,
      taken: pods.filter((pod) => pod.conflicting.includes(name)),
      injection: desired.injection(gateway),
    },
  });
}

/** Names of the Services that, under Port, lead past the sidecars of these pods. */
function servicesPast(
  { spec: { interception, server } }: McpGateway,
  services: DesiredState['snapshot']['services'],
  pods: readonly SelectedPod[],
): string[] {
  if (interception !== 'Port') return [];
  return services.flatMap(({ metadata, spec }) => {
    const wanted = Object.entries(spec.selector);
    const leads = pods.some(
      ({ pod: { metadata: pod } }) =>
        pod.namespace === metadata.namespace &&
        wanted.length > 0 &&
        wanted.every(([name, value]) => pod.labels[name] === value),
    );
    const isPast = spec.ports.some(({ port, targetPort = port }) => targetPort === server.port);
    return leads && isPast ? [metadata.name] : [];
  });
}

interface Keyed {
  keys(): Iterable<string>;
  delete(key: string): boolean;
}

function forgetAllBut(known: Keyed, kept: Pick<ReadonlySet<string>, 'has'>): void {
  for (const key of known.keys()) {
    if (!kept.has(key)) known.delete(key);
  }
}
