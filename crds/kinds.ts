/** The four kinds: names, schemas and printer columns. What is generated and what is parsed both start here. */
import { z } from 'zod';
import { approvalRequestSpec, approvalRequestStatus } from './approval-request.ts';
import { approvalRuleSpec } from './approval-rule.ts';
import { maskingPolicySpec } from './masking-policy.ts';
import { mcpGatewaySpec, mcpGatewayStatus } from './mcp-gateway.ts';
import { line, objectName } from './shapes.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly priority?: number;
}

export interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
}

const condition = z.strictObject({
  type: line(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int().min(0).max(9_007_199_254_740_991).optional(),
  lastTransitionTime: z.string().max(40).meta({ format: 'date-time' }),
  reason: line(1024),
  message: z.string().max(32_768),
});

const commonStatus = z.strictObject({
  observedGeneration: z.int().min(0).max(9_007_199_254_740_991).optional(),
  conditions: z
    .array(condition)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
});

const policyStatus = commonStatus.extend({
  gateways: z.array(objectName).max(1024).optional().describe('The gateways that took it.'),
});

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

function conditionColumn(type: string): PrinterColumn {
  return { name: type, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].status` };
}

export const kinds = [
  {
    kind: 'McpGateway',
    plural: 'mcpgateways',
    singular: 'mcpgateway',
    shortName: 'mcpgw',
    description: 'Guards one MCP server: who may call it, what they may reach, and what is lent to it.',
    spec: mcpGatewaySpec,
    status: commonStatus.extend(mcpGatewayStatus.shape),
    columns: [
      conditionColumn('Accepted'),
      conditionColumn('Programmed'),
      conditionColumn('Ready'),
      { name: 'Guarded', type: 'integer', jsonPath: '.status.pods.guarded' },
      { name: 'URL', type: 'string', jsonPath: '.spec.publicUrl', priority: 1 },
      age,
    ],
  },
  {
    kind: 'MaskingPolicy',
    plural: 'maskingpolicies',
    singular: 'maskingpolicy',
    shortName: 'mask',
    description: 'Masks what leaves the gateways that it binds.',
    spec: maskingPolicySpec,
    status: policyStatus,
    columns: [
      { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
      { name: 'Action', type: 'string', jsonPath: '.spec.action' },
      conditionColumn('Accepted'),
      age,
    ],
  },
  {
    kind: 'ApprovalRule',
    plural: 'approvalrules',
    singular: 'approvalrule',
    shortName: 'aprule',
    description: 'Denies calls, holds them for approval, or notes them.',
    spec: approvalRuleSpec,
    status: policyStatus,
    columns: [{ name: 'Effect', type: 'string', jsonPath: '.spec.effect' }, conditionColumn('Accepted'), age],
  },
  {
    kind: 'ApprovalRequest',
    plural: 'approvalrequests',
    singular: 'approvalrequest',
    shortName: 'apreq',
    description: 'One held call and what was decided about it.',
    spec: approvalRequestSpec,
    status: commonStatus.extend(approvalRequestStatus.shape),
    columns: [
      { name: 'Gateway', type: 'string', jsonPath: '.spec.gateway' },
      { name: 'Tool', type: 'string', jsonPath: '.spec.call.tool' },
      { name: 'Requester', type: 'string', jsonPath: '.spec.requester.username' },
      { name: 'Risk', type: 'integer', jsonPath: '.spec.call.risk' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Expires', type: 'date', jsonPath: '.spec.expiresAt' },
      age,
    ],
  },
] as const satisfies readonly Kind[];

export type KindName = (typeof kinds)[number]['kind'];
