/**
 * Objects that cannot be read. A policy that might mask or hold is not passed over: the gateways that it may bind
 * are refused until it is mended, because nobody knows what they would let through without it.
 */
import { objectKey, readTargets, selects, type McpGateway } from '#crds';
import type { Snapshot, UnreadableObject } from '../source/snapshot.ts';
import { NotAccepted, titleOf, type ObjectConditions } from './conditions.ts';

/** @throws NotAccepted where a policy that may bind the gateway cannot be read. */
export function holdUnread(gateway: McpGateway, snapshot: Snapshot, installationNamespace: string): void {
  const policy = snapshot.unreadable.find(
    (object) => object.kind !== 'McpGateway' && mayBind(object, gateway, installationNamespace),
  );
  if (policy === undefined) return;
  const message = `${titleOf(gateway)} is refused until a policy that binds it is mended. ${policy.message}`;
  throw new NotAccepted('PolicyUnreadable', message);
}

export function conditionsOfUnread({ kind, metadata, message }: UnreadableObject): ObjectConditions {
  const { namespace, name } = metadata;
  const conditions = [{ type: 'Accepted', status: 'False', reason: 'Unreadable', message }] as const;
  return { kind, namespace, name, conditions, gateways: [], warnings: [] };
}

/** Where even its targets cannot be read, it may bind every gateway that one in its namespace can. */
function mayBind(policy: UnreadableObject, gateway: McpGateway, installationNamespace: string): boolean {
  const { namespace } = policy.metadata;
  const inReach = namespace === gateway.metadata.namespace || namespace === installationNamespace;
  if (!inReach) return false;
  const targets = readTargets(policy.spec);
  if (targets === undefined) return true;
  if (targets.targetRefs !== undefined) {
    return targets.targetRefs.some(({ name }) => objectKey(gateway) === `${namespace}/${name}`);
  }
  if (targets.namespaceSelector === undefined && namespace !== gateway.metadata.namespace) return false;
  return selects(targets.targetSelector ?? { matchLabels: {} }, gateway.metadata.labels);
}
