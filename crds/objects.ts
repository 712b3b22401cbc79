/** The objects of gatehouse.dev/v1alpha1 as they are once parsed: every default filled in, every unit converted. */
import type { ApprovalRuleSpec } from './approval-rule.ts';
import type { MaskingPolicySpec } from './masking-policy.ts';
import type { McpGatewaySpec } from './mcp-gateway.ts';

export const GROUP = 'gatehouse.dev';
export const API_VERSION = 'gatehouse.dev/v1alpha1';

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface Parsed<K extends string, S> {
  readonly kind: K;
  readonly metadata: ObjectMeta;
  readonly spec: S;
}

export type McpGateway = Parsed<'McpGateway', McpGatewaySpec>;
export type MaskingPolicy = Parsed<'MaskingPolicy', MaskingPolicySpec>;
export type ApprovalRule = Parsed<'ApprovalRule', ApprovalRuleSpec>;
/** What people write; an ApprovalRequest is written by the operator alone. */
export type PolicyObject = McpGateway | MaskingPolicy | ApprovalRule;

/** `namespace/name`, the way objects are named in bundles, conditions and sentences. */
export function objectKey(object: { readonly metadata: ObjectMeta }): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}
