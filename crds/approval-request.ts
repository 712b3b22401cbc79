/** ApprovalRequest: one held call. Only the operator creates it; all but spec.decisions is immutable. */
import { z } from 'zod';
import { outcomeName, phase } from './control.ts';
import { notification } from './notification.ts';
import { line, objectName } from './shapes.ts';

const timestamp = z
  .string()
  .max(40)
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time such as 2026-01-31T12:00:00Z')
  .meta({ format: 'date-time' });
const names = z.array(line(512)).max(256);

const decision = z.strictObject({
  by: line(512).describe('Who decided; must be the user who writes it.'),
  issuer: z
    .string()
    .max(2048)
    .optional()
    .describe('With subject: the person behind the name, where the operator verified a token of theirs.'),
  subject: z.string().max(512).optional(),
  verdict: z.enum(['Approve', 'Deny']),
  via: line(64).describe('kubectl, console, or the channel whose person the operator verified.'),
  at: timestamp,
  comment: z.string().max(4096).optional(),
});

const parsed = z.strictObject({
  classes: names.default([]),
  targets: names.default([]),
  risk: z
    .array(z.strictObject({ reason: line(512), points: z.int().min(0).max(100) }))
    .max(64)
    .default([]),
});

const approvers = z.strictObject({
  users: names.default([]),
  groups: names.default([]),
  count: z.int().min(1).max(10),
  notTheRequester: z.boolean(),
});

const members = z.strictObject({
  gateway: objectName,
  rule: z.strictObject({ name: line(512), revision: line(128) }),
  requester: z.strictObject({
    provider: line(63),
    issuer: z.string().max(2048),
    subject: z.string().max(512),
    username: z.string().max(512),
    groups: names.default([]),
    kubernetesUsername: line(512)
      .optional()
      .describe('Who the requester is to Kubernetes; without it nobody can decide with kubectl.'),
  }),
  approvers: approvers.optional().describe('Who may decide, as the rule said when the call was made.'),
  notify: z.array(notification).max(16).optional().describe('Where they are asked, as the rule said then.'),
  call: z.strictObject({
    server: line(512),
    tool: line(512),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 digest in hex')
      .describe('Over principal, server, tool, canonical arguments and rule revision.'),
    preview: z.string().max(8192).describe('Masked.'),
    risk: z.int().min(0).max(100),
    parsed,
  }),
  expiresAt: timestamp,
  decisions: z.array(decision).max(20).default([]),
});

/** What makes a request immutable: rules over the stored object, which only the API server knows. */
const transitions = [
  ...['gateway', 'rule', 'requester', 'call', 'expiresAt'].map((name) => ({
    rule: `self.${name} == oldSelf.${name}`,
    message: `must not change ${name}`,
  })),
  ...['approvers', 'notify'].map((name) => ({
    rule: `has(self.${name}) == has(oldSelf.${name}) && (!has(self.${name}) || self.${name} == oldSelf.${name})`,
    message: `must not change ${name}`,
  })),
  {
    rule: 'oldSelf.decisions.all(old, self.decisions.exists(kept, kept == old)) && size(self.decisions) >= size(oldSelf.decisions)',
    message: 'must keep every decision that was made',
  },
];

export const approvalRequestSpec = members.meta({ 'x-kubernetes-validations': transitions });

const delivery = z.strictObject({
  channel: line(512).describe('Which entry of notify, and where it leads.'),
  state: z
    .enum(['Sending', 'Told', 'Failed'])
    .optional()
    .describe(
      'Sending: on its way, or nobody knows whether it arrived. Failed: it did not, and is tried again.',
    ),
  phase: phase.optional().describe('What the channel was last told.'),
  at: timestamp.describe('Of the last attempt.'),
  attempts: z.int().min(0).optional().describe('Since it was last told.'),
  ref: line(512).optional().describe('What the channel calls its message or issue.'),
  seen: line(256).optional().describe('The last change in the channel that was judged.'),
  error: line(1024).optional(),
});

export const approvalRequestStatus = z.strictObject({
  phase: phase.optional(),
  outcome: outcomeName.optional(),
  lastTransitionTime: timestamp.optional().describe('When phase or outcome last changed.'),
  notified: z.array(delivery).max(64).optional(),
});

export type Delivery = z.infer<typeof delivery>;
