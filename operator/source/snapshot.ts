/** Everything that bundles are compiled from, at one moment. Sources make it; compile reads it. */
import { objectKey, type ApprovalRule, type MaskingPolicy, type McpGateway, type PolicyObject } from '#crds';

export interface Snapshot {
  /** Each list is ordered by namespace and name, so that equal states make equal bundles. */
  readonly gateways: readonly McpGateway[];
  readonly maskingPolicies: readonly MaskingPolicy[];
  readonly approvalRules: readonly ApprovalRule[];
  /** Labels of each namespace that is known. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** The label that Kubernetes itself puts on every namespace; without a cluster it is the only one. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The snapshot of objects that come without their namespaces, as from a directory. */
export function snapshotOf(objects: readonly PolicyObject[]): Snapshot {
  const ordered = [...objects].sort((a, b) => compareText(objectKey(a), objectKey(b)));
  const names = new Set(ordered.map((object) => object.metadata.namespace));
  return {
    gateways: ordered.filter((object) => object.kind === 'McpGateway'),
    maskingPolicies: ordered.filter((object) => object.kind === 'MaskingPolicy'),
    approvalRules: ordered.filter((object) => object.kind === 'ApprovalRule'),
    namespaces: new Map([...names].map((name) => [name, { [NAMESPACE_NAME]: name }])),
  };
}

/** By UTF-16 code units: an order that no locale changes. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
