/** One document of a known kind → an object, or its faults. */
import { z } from 'zod';
import { approvalRuleSpec } from './approval-rule.ts';
import { findUnavailable } from './available.ts';
import type { Environment } from './built.ts';
import type { PolicyKind } from './classify.ts';
import { faultsOf, type Fault, type Path } from './issues.ts';
import { maskingPolicySpec } from './masking-policy.ts';
import { mcpGatewaySpec } from './mcp-gateway.ts';
import { API_VERSION, type ObjectMeta, type PolicyObject } from './objects.ts';
import { objectName } from './shapes.ts';
import { toStructural, type StructuralSchema } from './structural.ts';

/** Members that the API server writes; an object saved with kubectl has them. */
const unread = z.unknown().optional();

const metadata = z
  .strictObject({
    name: objectName,
    namespace: objectName.max(63).default('default'),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).optional(),
    uid: unread,
    resourceVersion: unread,
    generation: unread,
    creationTimestamp: unread,
    deletionTimestamp: unread,
    deletionGracePeriodSeconds: unread,
    finalizers: unread,
    ownerReferences: unread,
    managedFields: unread,
    selfLink: unread,
  })
  .transform(({ name, namespace, labels }): ObjectMeta => ({ name, namespace, labels }));

const around = { apiVersion: z.literal(API_VERSION), metadata, status: unread };

const gateway = z
  .strictObject({ ...around, kind: z.literal('McpGateway'), spec: mcpGatewaySpec })
  .transform(({ kind, metadata: meta, spec }): PolicyObject => ({ kind, metadata: meta, spec }));
const maskingPolicy = z
  .strictObject({ ...around, kind: z.literal('MaskingPolicy'), spec: maskingPolicySpec })
  .transform(({ kind, metadata: meta, spec }): PolicyObject => ({ kind, metadata: meta, spec }));
const approvalRule = z
  .strictObject({ ...around, kind: z.literal('ApprovalRule'), spec: approvalRuleSpec })
  .transform(({ kind, metadata: meta, spec }): PolicyObject => ({ kind, metadata: meta, spec }));

interface Reader {
  readonly schema: z.ZodType<PolicyObject>;
  /** What the schema knows, to say what a mistyped field may have meant. */
  readonly fields: StructuralSchema;
}

const readers: Readonly<Record<PolicyKind, Reader>> = {
  McpGateway: { schema: gateway, fields: toStructural(gateway) },
  MaskingPolicy: { schema: maskingPolicy, fields: toStructural(maskingPolicy) },
  ApprovalRule: { schema: approvalRule, fields: toStructural(approvalRule) },
};

export type ReadObject = { readonly object: PolicyObject } | { readonly faults: readonly Fault[] };

/** Reads a document whose kind is known. What is not available in `environment` is a fault like any other. */
export function readObject(kind: PolicyKind, value: unknown, environment: Environment): ReadObject {
  const { schema, fields } = readers[kind];
  const unavailable = findUnavailable(kind, value, environment);
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return unavailable.length > 0 ? { faults: unavailable } : { object: result.data };
  const faults = firstOfEachText(result.error.issues).flatMap((issue) => faultsOf(issue, fields));
  // What must go anyway has no say in what else is wrong around it.
  const independent = faults.filter((fault) => !unavailable.some(({ path }) => touches(fault.path, path)));
  return { faults: [...unavailable, ...independent] };
}

/** A text that breaks one rule often breaks the next for the same reason: one sentence is enough. */
function firstOfEachText(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const seen = new Set<string>();
  return issues.filter((issue) => {
    if (typeof issue.input !== 'string') return true;
    const place = z.core.toDotPath(issue.path);
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}

function touches(a: Path, b: Path): boolean {
  const length = Math.min(a.length, b.length);
  return a.slice(0, length).every((step, index) => step === b[index]);
}
