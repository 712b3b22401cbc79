/** MaskingPolicy and ApprovalRule → their parts of a bundle. */
import type { MaskPolicy, Rule } from '#bundle';
import { objectKey, type ApprovalRule, type MaskingPolicy } from '#crds';
import { describedMessages } from '../descriptors.ts';
import type { ConfigMaps } from '../source/snapshot.ts';
import { compileMatch } from './match.ts';
import { revisionOf } from './revision.ts';

const NOBODY = { users: [], groups: [], count: 1, notTheRequester: true };

/** @throws DescriptorUnusable */
export function compileMasking(policy: MaskingPolicy, configMaps: ConfigMaps): MaskPolicy {
  const { mode, direction, detectors, fields, exclude, action } = policy.spec;
  const protobuf = describedMessages(policy, configMaps);
  return {
    name: objectKey(policy),
    ...{ mode, direction, detectors, fields, exclude, action },
    ...(protobuf.length > 0 && { protobuf }),
  };
}

/** The revision is over the whole spec: whatever was edited, an approval given before does not count. */
export function compileRule(rule: ApprovalRule): Rule {
  const { match, effect, approvers, expiresAfter } = rule.spec;
  return {
    name: objectKey(rule),
    revision: revisionOf(rule.spec),
    match: compileMatch(match),
    effect,
    approvers: approvers ?? NOBODY,
    expiresAfterMs: expiresAfter,
  };
}
