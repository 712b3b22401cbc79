/** Which gateways a policy binds. */
import { objectKey, selects, type ApprovalRule, type MaskingPolicy, type McpGateway } from '#crds';
import type { Snapshot } from '../source/snapshot.ts';
import { titleOf, type Condition } from './conditions.ts';

export type Policy = MaskingPolicy | ApprovalRule;

export interface Binding<P extends Policy = Policy> {
  readonly policy: P;
  readonly gateways: readonly McpGateway[];
  readonly accepted: Condition;
}

/** Binds a policy: to gateways of its own namespace, and from the installation's namespace to those of any. */
export function bind<P extends Policy>(
  policy: P,
  snapshot: Snapshot,
  installationNamespace: string,
): Binding<P> {
  const { namespace } = policy.metadata;
  const { targetRefs, targetSelector, namespaceSelector } = policy.spec;
  if (targetRefs !== undefined) return bindByName(policy, snapshot);
  if (namespaceSelector !== undefined && namespace !== installationNamespace) {
    const message = `${titleOf(policy)} has spec.namespaceSelector, which only policies in the namespace ${installationNamespace} may have; use targetRefs or targetSelector.`;
    return { policy, gateways: [], accepted: refused('NamespaceSelectorNotAllowed', message) };
  }
  const inReach = (gateway: McpGateway): boolean =>
    namespaceSelector === undefined
      ? gateway.metadata.namespace === namespace
      : selects(namespaceSelector, snapshot.namespaces.get(gateway.metadata.namespace) ?? {});
  const gateways = snapshot.gateways.filter(
    (gateway) => inReach(gateway) && selects(targetSelector ?? { matchLabels: {} }, gateway.metadata.labels),
  );
  if (gateways.length > 0) return { policy, gateways, accepted: accepted(gateways) };
  const message = `${titleOf(policy)} binds no gateway: its selector selects none.`;
  return { policy, gateways, accepted: refused('TargetNotFound', message) };
}

function bindByName<P extends Policy>(policy: P, snapshot: Snapshot): Binding<P> {
  const { namespace } = policy.metadata;
  const names = new Set((policy.spec.targetRefs ?? []).map((ref) => ref.name));
  const gateways = snapshot.gateways.filter(
    ({ metadata }) => metadata.namespace === namespace && names.has(metadata.name),
  );
  for (const gateway of gateways) names.delete(gateway.metadata.name);
  if (names.size === 0) return { policy, gateways, accepted: accepted(gateways) };
  const missing = [...names].map((name) => `${namespace}/${name}`).join(', ');
  const message = `${titleOf(policy)} names in spec.targetRefs a McpGateway that does not exist: ${missing}.`;
  return { policy, gateways, accepted: refused('TargetNotFound', message) };
}

function accepted(gateways: readonly McpGateway[]): Condition {
  const message = `Binds ${gateways.map(objectKey).join(', ')}.`;
  return { type: 'Accepted', status: 'True', reason: 'Accepted', message };
}

function refused(reason: string, message: string): Condition {
  return { type: 'Accepted', status: 'False', reason, message };
}
