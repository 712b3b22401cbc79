/** Snapshot → one bundle a gateway, and what to say of each object. Pure: no clock, no I/O. */
import type { Bundle, MaskPolicy } from '#bundle';
import { objectKey, type MaskingPolicy, type McpGateway } from '#crds';
import { describedMessages, DescriptorUnusable } from '../descriptors.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { bind, type Binding, type Policy } from './bind.ts';
import { NotAccepted, titleOf, type Condition, type ObjectConditions } from './conditions.ts';
import { compileGateway } from './gateway.ts';
import type { Installation } from './installation.ts';
import { compileMasking, compileRule } from './policies.ts';
import { conditionsOfUnread, holdUnread } from './unreadable.ts';
import { warningsOfGateway } from './warnings.ts';

export type { Condition, ObjectConditions } from './conditions.ts';
export {
  NO_FLOORS,
  STANDALONE_NAMESPACE,
  type ClusterIdentity,
  type Floors,
  type Installation,
} from './installation.ts';

export interface Compiled {
  /** One for each accepted gateway, in the snapshot's order. */
  readonly bundles: readonly Bundle[];
  readonly objects: readonly ObjectConditions[];
  /** Every sentence that whoever runs the installation should read: warnings, and conditions that are False. */
  readonly warnings: readonly string[];
}

export function compile(snapshot: Snapshot, installation: Installation): Compiled {
  const masking = snapshot.maskingPolicies.map((policy) =>
    holdDescriptors(bind(policy, snapshot, installation.namespace), snapshot),
  );
  const rules = snapshot.approvalRules.map((rule) => bind(rule, snapshot, installation.namespace));
  const gateways = snapshot.gateways.map((gateway) => {
    return judge(gateway, installation, () => {
      holdUnread(gateway, snapshot, installation.namespace);
      const policies = {
        masking: bound(masking, gateway).map((policy) => compileBound(policy, gateway, snapshot)),
        rules: bound(rules, gateway).map(compileRule),
      };
      const hosts = snapshot.hosts.get(objectKey(gateway)) ?? [];
      return compileGateway(gateway, { ...policies, hosts }, installation);
    });
  });
  const objects = [
    ...gateways.map(({ object }) => object),
    ...[...masking, ...rules].map(conditionsOfPolicy),
    ...snapshot.unreadable.map(conditionsOfUnread),
  ];
  return {
    bundles: gateways.flatMap(({ bundle }) => (bundle === undefined ? [] : [bundle])),
    objects,
    warnings: objects.flatMap(sentencesOf),
  };
}

function bound<P extends Policy>(bindings: readonly Binding<P>[], gateway: McpGateway): P[] {
  return bindings.filter(({ gateways }) => gateways.includes(gateway)).map(({ policy }) => policy);
}

/** A policy whose descriptors cannot be used is not accepted, wherever it binds. */
function holdDescriptors(binding: Binding<MaskingPolicy>, { configMaps }: Snapshot): Binding<MaskingPolicy> {
  try {
    describedMessages(binding.policy, configMaps);
    return binding;
  } catch (error) {
    if (!(error instanceof DescriptorUnusable)) throw error;
    const { code: reason, message } = error;
    return { ...binding, accepted: { type: 'Accepted', status: 'False', reason, message } };
  }
}

/** Nobody knows what a gateway would let through without the policy, so it is refused until that is mended. */
function compileBound(policy: MaskingPolicy, gateway: McpGateway, { configMaps }: Snapshot): MaskPolicy {
  try {
    return compileMasking(policy, configMaps);
  } catch (error) {
    if (!(error instanceof DescriptorUnusable)) throw error;
    const message = `${titleOf(gateway)} is refused until a policy that binds it is mended. ${error.message}`;
    throw new NotAccepted('PolicyUnreadable', message);
  }
}

interface Judged {
  readonly object: ObjectConditions;
  readonly bundle?: Bundle;
}

function judge(gateway: McpGateway, installation: Installation, compiled: () => Bundle): Judged {
  const about = {
    kind: gateway.kind,
    namespace: gateway.metadata.namespace,
    name: gateway.metadata.name,
    gateways: [],
    warnings: warningsOfGateway(gateway, installation),
  };
  try {
    const bundle = compiled();
    return { bundle, object: { ...about, conditions: accepted(bundle) } };
  } catch (error) {
    if (!(error instanceof NotAccepted)) throw error;
    return { object: { ...about, conditions: refused(error) } };
  }
}

function accepted({ revision }: Bundle): Condition[] {
  return [
    { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The gateway is valid.' },
    { type: 'Programmed', status: 'True', reason: 'Programmed', message: `Its bundle is ${revision}.` },
  ];
}

function refused({ code, message }: NotAccepted): Condition[] {
  return [
    { type: 'Accepted', status: 'False', reason: code, message },
    {
      type: 'Programmed',
      status: 'False',
      reason: 'NotAccepted',
      message: 'It has no bundle, so its calls are refused.',
    },
  ];
}

function conditionsOfPolicy({ policy, gateways, accepted: condition }: Binding): ObjectConditions {
  const { namespace, name } = policy.metadata;
  return {
    kind: policy.kind,
    namespace,
    name,
    conditions: [condition],
    gateways: gateways.map(objectKey),
    warnings: [],
  };
}

function sentencesOf({ conditions, warnings }: ObjectConditions): string[] {
  const refusals = conditions.filter(({ type, status }) => type === 'Accepted' && status === 'False');
  return [...refusals.map(({ message }) => message), ...warnings];
}
