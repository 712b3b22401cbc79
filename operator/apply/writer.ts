/** The one file that writes to the cluster what reconciling decided; nothing is written by who does not lead. */
import { z } from 'zod';
import type { PolicyObject } from '#crds';
import { API_VERSION } from '#crds';
import { GatehouseError } from '../../lib/errors.ts';
import type { KubeClient, KubeRequest } from '../source/kubernetes/client.ts';
import { isRefused } from '../source/kubernetes/errors.ts';
import { namespacedMeta, pathOf } from '../source/kubernetes/resource.ts';
import { POLICY_RESOURCES, type OwnerReference } from '../source/kubernetes/resources.ts';
import type { NotInjected, Regarding } from './events.ts';
import { controllerOf } from './events.ts';
import { MANAGED_BY, networkPolicyName, type NetworkPolicy } from './network-policy.ts';
import type { ObjectStatus } from './status.ts';

/** Another replica leads by now; what was to be written is its to write. */
export class NotLeading extends GatehouseError {
  readonly code = 'not_leading';
}

export interface ClusterWriter {
  status(
    about: { kind: PolicyObject['kind']; namespace: string; name: string },
    status: ObjectStatus,
  ): Promise<void>;
  networkPolicy(policy: NetworkPolicy): Promise<void>;
  /** Removes the policy of a gateway that needs none any more; one that is not ours stays. */
  noNetworkPolicy(gateway: { namespace: string; name: string }): Promise<void>;
  event(event: NotInjected, now: number): Promise<void>;
  /** What made a ReplicaSet, as a Deployment does; others made their pods themselves. */
  ownerOf(regarding: Regarding): Promise<Regarding>;
}

const MANAGER = 'gatehouse';
const NETWORK_POLICIES = { apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies' };
const EVENTS = { apiVersion: 'events.k8s.io/v1', plural: 'events' };
const REPLICA_SETS = { apiVersion: 'apps/v1', plural: 'replicasets' };

const labelled = z.object({ metadata: namespacedMeta });
const owned = z.object({
  metadata: z.object({
    ownerReferences: z
      .array(
        z.object({
          apiVersion: z.string(),
          kind: z.string(),
          name: z.string(),
          uid: z.string(),
          controller: z.boolean().default(false),
        }),
      )
      .default([]),
  }),
});

export function createClusterWriter(deps: {
  client: Pick<KubeClient, 'request'>;
  leads: () => boolean;
  /** Names this replica in events. */
  identity: string;
}): ClusterWriter {
  const write = async (wanted: KubeRequest): Promise<unknown> => {
    if (!deps.leads()) throw new NotLeading('This replica does not lead, so it writes nothing.');
    return deps.client.request(wanted);
  };
  /** Server-side apply: what others wrote into the object is theirs, and what we wrote is ours. */
  const apply = (path: string, body: object): Promise<unknown> =>
    write({ method: 'PATCH', patch: 'apply', path, query: { fieldManager: MANAGER, force: true }, body });

  return {
    status: async ({ kind, namespace, name }, status) => {
      const path = pathOf(POLICY_RESOURCES[kind], { namespace, name, subresource: 'status' });
      try {
        await apply(path, { apiVersion: API_VERSION, kind, metadata: { namespace, name }, status });
      } catch (error) {
        // Gone meanwhile: there is nothing to say of it.
        if (!isRefused(error, 404)) throw error;
      }
    },
    networkPolicy: async (policy) => {
      const { namespace, name } = policy.metadata;
      await apply(pathOf(NETWORK_POLICIES, { namespace, name }), policy);
    },
    noNetworkPolicy: async (gateway) => {
      const path = pathOf(NETWORK_POLICIES, {
        namespace: gateway.namespace,
        name: networkPolicyName(gateway.name),
      });
      try {
        const { metadata } = labelled.parse(await deps.client.request({ method: 'GET', path }));
        if (!isOurs(metadata.labels)) return;
        await write({ method: 'DELETE', path, body: { preconditions: { uid: metadata.uid } } });
      } catch (error) {
        if (!isRefused(error, 404)) throw error;
      }
    },
    event: async ({ name, regarding, reason, note }, now) => {
      const { namespace } = regarding;
      const body = {
        ...{ apiVersion: EVENTS.apiVersion, kind: 'Event', metadata: { namespace, name } },
        ...{ regarding, reason, note, type: 'Warning', action: 'Inject' },
        eventTime: new Date(now).toISOString().replace('Z', '000Z'),
        reportingController: 'gatehouse.dev/operator',
        reportingInstance: deps.identity.slice(0, 128),
      };
      try {
        await write({ method: 'POST', path: pathOf(EVENTS, { namespace }), body });
      } catch (error) {
        if (!isRefused(error, 409)) throw error;
      }
    },
    ownerOf: async (regarding) => {
      if (regarding.kind !== 'ReplicaSet') return regarding;
      const path = pathOf(REPLICA_SETS, { namespace: regarding.namespace, name: regarding.name });
      try {
        const { metadata } = owned.parse(await deps.client.request({ method: 'GET', path }));
        const owners: readonly OwnerReference[] = metadata.ownerReferences;
        return controllerOf(owners, regarding.namespace) ?? regarding;
      } catch (error) {
        if (isRefused(error, 404)) return regarding;
        throw error;
      }
    },
  };
}

function isOurs(labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(MANAGED_BY).every(([key, value]) => labels[key] === value);
}
