/** What the caches hold at one moment → the snapshot that bundles are compiled from, and what a cluster adds. Pure. */
import {
  API_VERSION,
  readObject,
  sentenceOfFault,
  type ConfigMap,
  type PolicyObject,
  type ReadObject,
} from '#crds';
import { snapshotOf, type UnreadableObject } from '../snapshot.ts';
import type { ClusterSnapshot, ObjectFacts } from './cluster-state.ts';
import { serviceHosts } from './service-hosts.ts';
import type { ClusterConfigMap, Namespace, Pod, RawPolicyObject, Service } from './resources.ts';

export interface Observed {
  readonly objects: readonly { readonly kind: PolicyObject['kind']; readonly object: RawPolicyObject }[];
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly configMaps: readonly ClusterConfigMap[];
}

export function clusterSnapshot(observed: Observed): ClusterSnapshot {
  const readable: PolicyObject[] = [];
  const unreadable: UnreadableObject[] = [];
  const facts = new Map<string, ObjectFacts>();
  for (const { kind, object } of observed.objects) {
    const { uid, generation, creationTimestamp, namespace, name } = object.metadata;
    facts.set(`${kind} ${namespace}/${name}`, {
      ...{ uid, generation, created: creationTimestamp },
      status: object.status,
    });
    const read = readOnce(kind, object);
    if ('object' in read) readable.push(read.object);
    else unreadable.push(unreadableOf(kind, object, read.faults.map(sentenceOfFault)));
  }
  const namespaces = new Map(observed.namespaces.map(({ metadata }) => [metadata.name, metadata.labels]));
  const { pods, services } = observed;
  const configMaps = observed.configMaps.map(entriesOf);
  const snapshot = snapshotOf(readable, { namespaces, unreadable, configMaps });
  const hosts = serviceHosts({ ...snapshot, facts, pods }, services);
  return { ...snapshot, hosts, facts, pods, services };
}

function entriesOf({ metadata, data, binaryData }: ClusterConfigMap): ConfigMap {
  const { namespace, name } = metadata;
  return { namespace, name, entries: { ...data, ...binaryData } };
}

/** Reading parses every expression and pattern; an object that did not change is the very same one as before. */
const readBefore = new WeakMap<RawPolicyObject, ReadObject>();

function readOnce(kind: PolicyObject['kind'], object: RawPolicyObject): ReadObject {
  const before = readBefore.get(object);
  if (before !== undefined) return before;
  const read = readObject(kind, { ...object, apiVersion: API_VERSION, kind }, 'Cluster');
  readBefore.set(object, read);
  return read;
}

function unreadableOf(
  kind: PolicyObject['kind'],
  { metadata, spec }: RawPolicyObject,
  sentences: readonly string[],
): UnreadableObject {
  const { namespace, name, labels } = metadata;
  const title = `${kind} ${namespace}/${name}`;
  return {
    ...{ kind, metadata: { namespace, name, labels }, spec },
    message: `${title} cannot be used: ${sentences[0] ?? 'it has no form that can be read.'}`,
  };
}
