/** Descriptor sets of masking policies, out of ConfigMaps of their own namespace. */
import type { MaskPolicy } from '#bundle';
import { objectKey, type MaskingPolicy } from '#crds';
import { GatehouseError } from '../lib/errors.ts';
import { Lru } from '../lib/lru.ts';
import { DescriptorError, openDescriptorSet, type DescriptorSet } from '../lib/protobuf/index.ts';
import { DESCRIPTOR_LABEL, type ConfigMaps } from './source/snapshot.ts';

/** A policy whose descriptors are not there, or cannot be used. */
export class DescriptorUnusable extends GatehouseError {
  readonly code: 'DescriptorNotFound' | 'DescriptorInvalid';

  constructor(code: DescriptorUnusable['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

type Described = NonNullable<MaskPolicy['protobuf']>;
type Spec = MaskingPolicy['spec']['protobuf'][number];

/** What a bundle holds of them. @throws DescriptorUnusable with a sentence that says how to mend it. */
export function describedMessages(policy: MaskingPolicy, configMaps: ConfigMaps): Described {
  return policy.spec.protobuf.map((spec, index) => {
    const { mimeType, message, fields } = spec;
    const descriptorSet = setOf(policy, spec, { index, configMaps });
    try {
      openOnce(descriptorSet).maskedMessage(message, fields);
    } catch (cause) {
      if (!(cause instanceof DescriptorError)) throw cause;
      const where = `${titleOf(policy)}, spec.protobuf[${index}]`;
      const said = `${where}: the descriptor set in ${nameOf(policy, spec)} ${cause.message}.`;
      throw new DescriptorUnusable('DescriptorInvalid', said, { cause });
    }
    return { mimeType, descriptorSet, message, fields };
  });
}

function setOf(
  policy: MaskingPolicy,
  spec: Spec,
  { index, configMaps }: { readonly index: number; readonly configMaps: ConfigMaps },
): string {
  const { name, key } = spec.descriptorConfigMap;
  const where = `${titleOf(policy)}, spec.protobuf[${index}].descriptorConfigMap`;
  const entries = configMaps.get(`${policy.metadata.namespace}/${name}`);
  if (entries === undefined) {
    throw new DescriptorUnusable(
      'DescriptorNotFound',
      `${where} names the ConfigMap ${policy.metadata.namespace}/${name}, which is not there, or in a cluster does not bear the label ${DESCRIPTOR_LABEL}: "true".`,
    );
  }
  const set = Object.hasOwn(entries, key) ? entries[key] : undefined;
  if (set !== undefined) return set.replaceAll(/\s+/g, '');
  const keys = Object.keys(entries).slice(0, 12).join(', ');
  throw new DescriptorUnusable(
    'DescriptorNotFound',
    `${where} names the key ${key}, which ${nameOf(policy, spec)} does not hold; it holds ${keys === '' ? 'nothing' : keys}.`,
  );
}

function titleOf(policy: MaskingPolicy): string {
  return `${policy.kind} ${objectKey(policy)}`;
}

function nameOf({ metadata }: MaskingPolicy, { descriptorConfigMap }: Spec): string {
  return `ConfigMap ${metadata.namespace}/${descriptorConfigMap.name}`;
}

/** The same sets are compiled again with every change of anything. */
const SETS = new Lru<string, DescriptorSet>(32);

function openOnce(base64: string): DescriptorSet {
  const set = SETS.get(base64) ?? openDescriptorSet(Buffer.from(base64, 'base64'));
  SETS.set(base64, set);
  return set;
}
