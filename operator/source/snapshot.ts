/** Everything that bundles are compiled from, at one moment. Sources make it; compile reads it. */
import {
  objectKey,
  type ApprovalRule,
  type ConfigMap,
  type MaskingPolicy,
  type McpGateway,
  type ObjectMeta,
  type PolicyObject,
} from '#crds';

/** An object that is there and that nobody can read: what it would demand is not known. */
export interface UnreadableObject {
  readonly kind: PolicyObject['kind'];
  readonly metadata: ObjectMeta;
  readonly spec: unknown;
  /** The sentence that says why. */
  readonly message: string;
}

export type ConfigMaps = ReadonlyMap<string, ConfigMap['entries']>;

/** What a ConfigMap of a cluster bears so that it is read: nobody's other ConfigMaps are. */
export const DESCRIPTOR_LABEL = 'gatehouse.dev/descriptor';

export interface Snapshot {
  /** Each list is ordered by namespace and name, so that equal states make equal bundles. */
  readonly gateways: readonly McpGateway[];
  readonly maskingPolicies: readonly MaskingPolicy[];
  readonly approvalRules: readonly ApprovalRule[];
  /** Only a cluster has any: a directory with a mistake is no snapshot. */
  readonly unreadable: readonly UnreadableObject[];
  /** By gateway: what the Services before its pods are called, as clients name them in Host. Only a cluster has any. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  /** By `namespace/name`: key to base64. Of a cluster only those with the label DESCRIPTOR_LABEL. */
  readonly configMaps: ConfigMaps;
  /** Labels of each namespace that is known. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** The label that Kubernetes itself puts on every namespace; without a cluster it is the only one. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The snapshot of objects; a directory has no namespaces, so theirs are those that its objects name. */
export function snapshotOf(
  objects: readonly PolicyObject[],
  more: Partial<Pick<Snapshot, 'namespaces' | 'unreadable' | 'hosts'>> & {
    configMaps?: readonly ConfigMap[];
  } = {},
): Snapshot {
  const ordered = [...objects].sort((a, b) => compareText(objectKey(a), objectKey(b)));
  const names = new Set(ordered.map((object) => object.metadata.namespace));
  return {
    gateways: ordered.filter((object) => object.kind === 'McpGateway'),
    maskingPolicies: ordered.filter((object) => object.kind === 'MaskingPolicy'),
    approvalRules: ordered.filter((object) => object.kind === 'ApprovalRule'),
    unreadable: more.unreadable ?? [],
    hosts: more.hosts ?? new Map(),
    configMaps: configMapsOf(more.configMaps ?? []),
    namespaces: more.namespaces ?? new Map([...names].map((name) => [name, { [NAMESPACE_NAME]: name }])),
  };
}

export function configMapsOf(configMaps: readonly ConfigMap[]): ConfigMaps {
  return new Map(configMaps.map(({ namespace, name, entries }) => [`${namespace}/${name}`, entries]));
}

/** By UTF-16 code units: an order that no locale changes. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
