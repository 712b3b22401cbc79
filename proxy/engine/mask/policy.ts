import { RE2JS } from 're2js';
import type { JSONPathQuery } from 'json-p3';
import type { MaskAction, MaskPolicy } from '../../../crds/bundle.ts';
import { compileGlobs } from '../../../lib/glob.ts';
import { Lru } from '../../../lib/lru.ts';
import {
  DescriptorError,
  openDescriptorSet,
  type DescriptorSet,
  type MaskedMessage,
} from '../../../lib/protobuf/index.ts';
import type { Detector } from './detectors/detector.ts';
import { PRESETS } from './detectors/index.ts';
import { compileQuery } from './json-path.ts';
import { normalizeKey } from './keys.ts';
import { mediaTypeOf, type MediaType } from './media-type.ts';
import { MaskPolicyError, type MaskPurpose } from './types.ts';

/** A selector by key or column: what is compared, and what it is called in what is reported. */
export interface NameSelector {
  readonly normalized: string;
  readonly label: string;
}

export interface PathSelector {
  readonly query: JSONPathQuery;
  readonly label: string;
}

export interface ProtobufSelector extends MaskedMessage {
  readonly type: MediaType;
  readonly label: string;
}

/** A policy with everything in it checked and compiled. */
export interface CompiledPolicy {
  readonly name: string;
  readonly enforced: boolean;
  readonly direction: MaskPolicy['direction'];
  readonly action: MaskAction;
  /** Without the excluded ones. */
  readonly detectors: readonly Detector[];
  readonly keys: readonly NameSelector[];
  readonly columns: readonly NameSelector[];
  readonly paths: readonly PathSelector[];
  readonly protobuf: readonly ProtobufSelector[];
  readonly excludedPaths: readonly JSONPathQuery[];
  readonly excludesTool: (tool: string | undefined) => boolean;
}

/** Checks and compiles a policy. Throws MaskPolicyError with one sentence. */
export function compilePolicy(policy: MaskPolicy): CompiledPolicy {
  const where = `MaskingPolicy ${policy.name}`;
  const excludedDetectors = new Set(
    policy.exclude.flatMap((one) => ('detectors' in one ? one.detectors : [])),
  );
  const isExcludedTool = compileGlobs(policy.exclude.flatMap((one) => ('tools' in one ? one.tools : [])));
  return {
    name: policy.name,
    enforced: policy.mode === 'Enforce',
    direction: policy.direction,
    action: policy.action,
    detectors: policy.detectors
      .flatMap((detector) => compileDetector(detector, where))
      .filter((detector) => !excludedDetectors.has(detector.name)),
    keys: policy.fields.flatMap((one) =>
      'keys' in one ? one.keys.map((name) => nameSelector('key', name)) : [],
    ),
    columns: policy.fields.flatMap((one) =>
      'columns' in one ? one.columns.map((name) => nameSelector('column', name)) : [],
    ),
    paths: policy.fields.flatMap((one) =>
      'jsonPath' in one ? [{ query: compileQuery(one.jsonPath, where), label: `path:${one.jsonPath}` }] : [],
    ),
    protobuf: (policy.protobuf ?? []).flatMap((described) => compileProtobuf(described, where)),
    excludedPaths: policy.exclude.flatMap((one) =>
      'jsonPath' in one ? [compileQuery(one.jsonPath, where)] : [],
    ),
    excludesTool: (tool) => tool !== undefined && isExcludedTool(tool),
  };
}

/** Whether the policy has a say in a message of this purpose. */
export function appliesTo(policy: CompiledPolicy, purpose: MaskPurpose): boolean {
  switch (purpose) {
    case 'release':
      return policy.direction !== 'Request';
    case 'request':
      return policy.direction !== 'Response';
    case 'record':
      return policy.enforced;
  }
}

/** One selector a path, so that what is reported names it. */
function compileProtobuf(
  { mimeType, descriptorSet, message, fields }: NonNullable<MaskPolicy['protobuf']>[number],
  where: string,
): ProtobufSelector[] {
  try {
    const set = openOnce(descriptorSet);
    return fields.map((path) => ({
      ...set.maskedMessage(message, [path]),
      type: mediaTypeOf(mimeType),
      label: `protobuf:${path}`,
    }));
  } catch (error) {
    if (!(error instanceof DescriptorError)) throw error;
    throw new MaskPolicyError(`${where} has a descriptor set that ${error.message}.`, { cause: error });
  }
}

/** Several policies, and each new bundle, come with the same set. */
const SETS = new Lru<string, DescriptorSet>(32);

function openOnce(base64: string): DescriptorSet {
  const set = SETS.get(base64) ?? openDescriptorSet(Buffer.from(base64, 'base64'));
  SETS.set(base64, set);
  return set;
}

function nameSelector(kind: 'key' | 'column', name: string): NameSelector {
  return { normalized: normalizeKey(name), label: `${kind}:${name}` };
}

function compileDetector(detector: MaskPolicy['detectors'][number], where: string): readonly Detector[] {
  if ('preset' in detector) return PRESETS[detector.preset];
  const { name, pattern } = detector;
  try {
    if (RE2JS.compile(pattern).matches('')) {
      throw new MaskPolicyError(
        `${where} has the detector ${name} whose pattern matches empty text; make it match at least one character.`,
      );
    }
  } catch (error) {
    if (error instanceof MaskPolicyError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new MaskPolicyError(`${where} has the detector ${name} whose pattern is not RE2 syntax: ${why}.`, {
      cause: error,
    });
  }
  return [{ cue: 'pattern', name, pattern }];
}
