/** How MaskingPolicy and ApprovalRule say which gateways they bind. */
import { z } from 'zod';
import type { CrossRule } from './shapes.ts';
import { labelSelector, objectName } from './shapes.ts';

const targetRef = z.strictObject({ kind: z.enum(['McpGateway']).default('McpGateway'), name: objectName });

/** Members of every policy's spec. */
export const targetMembers = {
  targetRefs: z
    .array(targetRef)
    .min(1)
    .max(64)
    .optional()
    .describe('Gateways of the same namespace, by name.'),
  targetSelector: labelSelector.optional().describe('Gateways by label; empty selects every gateway.'),
  namespaceSelector: labelSelector
    .optional()
    .describe(
      "Only in the installation's own namespace: binds the gateways of every namespace selected; empty selects all.",
    ),
};

export type Targets = z.output<z.ZodObject<typeof targetMembers>>;

const targets = z.object(targetMembers);

/** What a policy says it binds, where the rest of it cannot be read; `undefined` where that cannot be read either. */
export function readTargets(spec: unknown): Targets | undefined {
  return targets.safeParse(spec).data;
}

/** The rules that hold between them. */
export const targetRules: readonly CrossRule<Targets>[] = [
  {
    cel: 'has(self.targetRefs) || has(self.targetSelector) || has(self.namespaceSelector)',
    message: 'must say which gateways it binds, by targetRefs, targetSelector or namespaceSelector',
    holds: (spec) =>
      [spec.targetRefs, spec.targetSelector, spec.namespaceSelector].some((member) => member !== undefined),
  },
  {
    cel: '!has(self.targetRefs) || !(has(self.targetSelector) || has(self.namespaceSelector))',
    message: 'must not have targetSelector or namespaceSelector beside targetRefs',
    holds: (spec) =>
      spec.targetRefs === undefined ||
      (spec.targetSelector === undefined && spec.namespaceSelector === undefined),
  },
];
