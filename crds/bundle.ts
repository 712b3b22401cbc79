/**
 * What the operator publishes to a proxy: one compiled bundle a gateway. A proxy never reads a custom resource.
 * Every default is filled in, every duration is milliseconds, every size is bytes.
 */
import { z } from 'zod';
import { credential, egress, vaultAccess } from './bundle-credential.ts';

export type { Credential, VaultAccess } from './bundle-credential.ts';

const names = z.array(z.string());

/** Where a caller's proof of identity may come from. */
export const identityProvider = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('oidc'),
    name: z.string(),
    issuer: z.string(),
    audiences: names.min(1),
    usernameClaim: z.string(),
    groupsClaim: z.string(),
    caBundle: z.string().optional(),
  }),
  z.object({
    kind: z.literal('serviceAccount'),
    name: z.string(),
    /** The issuer of the cluster's service account tokens. */
    issuer: z.string(),
    audiences: names.min(1),
    /** Its keys, because pods may not be allowed to fetch them. */
    jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }),
  }),
  z.object({ kind: z.literal('anonymous'), name: z.string() }),
]);

/** Who an access rule speaks of: any one that matches is enough. */
export const who = z.object({
  users: names,
  groups: names,
  serviceAccounts: names,
  spiffeIds: names,
  authenticated: z.boolean(),
  anonymous: z.boolean(),
});

export const accessRule = z.object({
  who,
  tools: names,
  prompts: names,
  resources: names,
  methods: names,
  when: z.string().optional(),
});

export const detectorPreset = z.enum(['Credentials', 'PaymentCards', 'PersonalData']);

/** A pattern is RE2 syntax; exactly one of the two members is there. */
export const detector = z.union([
  z.object({ preset: detectorPreset }),
  z.object({ name: z.string(), pattern: z.string() }),
]);

/** Which values are masked whatever they look like; exactly one member is there. */
export const fieldSelector = z.union([
  z.object({ keys: names }),
  z.object({ jsonPath: z.string() }),
  z.object({ columns: names }),
]);

export const maskExclusion = z.union([
  z.object({ jsonPath: z.string() }),
  z.object({ tools: names }),
  z.object({ detectors: names }),
]);

/** Fields of messages that come as this media type. `descriptorSet` is a FileDescriptorSet, base64. */
export const protobufFields = z.object({
  mimeType: z.string(),
  descriptorSet: z.string(),
  message: z.string(),
  fields: names,
});

export const maskAction = z.enum(['Redact', 'Partial', 'Hash', 'Block']);

export const maskPolicy = z.object({
  /** namespace/name of the MaskingPolicy. */
  name: z.string(),
  mode: z.enum(['Enforce', 'Audit']),
  direction: z.enum(['Response', 'Request', 'Both']),
  detectors: z.array(detector),
  fields: z.array(fieldSelector),
  protobuf: z.array(protobufFields).optional(),
  exclude: z.array(maskExclusion),
  action: maskAction,
});

export const sqlDialect = z.enum(['PostgreSQL', 'MySQL', 'TSQL', 'SQLite', 'BigQuery', 'Snowflake']);
export const sqlClass = z.enum([
  'Insert',
  'Update',
  'Delete',
  'Merge',
  'Truncate',
  'DDL',
  'Grant',
  'Copy',
  'Call',
  'Session',
  'Unparsable',
]);
export const commandEffect = z.enum(['Read', 'Write', 'Destructive', 'Dynamic', 'Unparsable']);

/** All members that are there must hold. Presets are already written out. Without `tools`, every tool. */
export const ruleMatch = z.object({
  tools: names.optional(),
  sql: z.object({ dialect: sqlDialect, argument: z.string(), statements: z.array(sqlClass) }).optional(),
  shell: z.object({ argument: z.string(), effects: z.array(commandEffect) }).optional(),
  kubectl: z.object({ argument: z.string(), effects: z.array(commandEffect) }).optional(),
  when: z.string().optional(),
  riskAtLeast: z.int().min(0).max(100).optional(),
});

export const approvers = z.object({
  users: names,
  groups: names,
  count: z.int().min(1),
  notTheRequester: z.boolean(),
});

export const rule = z.object({
  /** namespace/name of the ApprovalRule. */
  name: z.string(),
  /** Changes with every edit of the rule; an approval is bound to it. */
  revision: z.string(),
  match: ruleMatch,
  effect: z.enum(['RequireApproval', 'Deny', 'Audit']),
  approvers,
  expiresAfterMs: z.int().positive(),
});

/** Seals session ids, event ids and requestState. The first key seals, every key opens. `key`: 32 bytes, base64. */
export const sealingKey = z.object({ id: z.string(), key: z.string() });

export const server = z.object({
  transport: z.enum(['StreamableHTTP', 'SSE', 'Stdio']),
  /** Where the server listens; its path is the upstream's MCP path. Absent for Stdio. */
  url: z.string().optional(),
  command: names.optional(),
  /** The MCP path that clients use. */
  path: z.string(),
  passthrough: z.array(z.object({ path: z.string(), methods: names })),
});

/** What a server may ask of its clients. */
export const clientFeature = z.enum(['Sampling', 'Elicitation', 'Roots']);

/** A definition of a tool that clients may see. A tool may have several. */
export const toolPin = z.object({ name: z.string(), digest: z.string() });

export const tools = z.object({
  integrity: z.enum(['FirstUse', 'Pinned', 'Off']),
  /** As the gateway says; a tool that is named here may have these definitions and no other. */
  pins: z.array(toolPin),
});

export const limits = z.object({
  maxBodyBytes: z.int().positive(),
  callTimeoutMs: z.int().positive(),
  sessionIdleMs: z.int().positive(),
  callsPerMinute: z.int().positive(),
  leases: z.int().positive().default(500),
  leasesPerMinute: z.int().positive().default(300),
});

export const bundle = z.object({
  /** SHA-256 over the rest but `firstSeen`, hex: equal revisions are equal policies. */
  revision: z.string(),
  gateway: z.object({ namespace: z.string(), name: z.string() }),
  server,
  /** What is not listed is refused to the server. */
  mayAsk: z.array(clientFeature).default([]),
  /** The resource that tokens are for (RFC 8707) and the origin that Host and Origin are compared with. */
  publicUrl: z.string().optional(),
  /** `host` or `host:port`, lower case: what clients may call the gateway in Host beside that, as the Services before it. */
  hosts: names.optional(),
  identity: z.array(identityProvider),
  access: z.array(accessRule),
  tools: tools.prefault({ integrity: 'FirstUse', pins: [] }),
  credentials: z.array(credential),
  /** Absent where no credential comes from Vault. */
  vault: vaultAccess.optional(),
  /** Absent where the server's own calls pass by the proxy. */
  egress: egress.optional(),
  /** Roots beside those of the system that vouch for whom the proxy calls: hosts of egress, databases, Vault. PEM. */
  upstreamRoots: z.string().optional(),
  masking: z.array(maskPolicy),
  rules: z.array(rule),
  recording: z.object({ onFailure: z.enum(['Block', 'Allow']), retentionMs: z.int().positive() }),
  limits,
  sealing: z.array(sealingKey).min(1),
  /** HMAC key for masks with action Hash, 32 bytes, base64: equal in a whole installation, so that values can be joined. */
  hashKey: z.string(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']),
  /** Definitions as they were first seen, whichever proxy saw them. No part of the revision: nobody decided them. */
  firstSeen: z.object({ revision: z.string(), pins: z.array(toolPin) }).prefault({ revision: '', pins: [] }),
});

export type Bundle = z.infer<typeof bundle>;
export type IdentityProvider = z.infer<typeof identityProvider>;
export type AccessRule = z.infer<typeof accessRule>;
export type Who = z.infer<typeof who>;
export type MaskPolicy = z.infer<typeof maskPolicy>;
export type MaskAction = z.infer<typeof maskAction>;
export type Rule = z.infer<typeof rule>;
export type RuleMatch = z.infer<typeof ruleMatch>;
export type Approvers = z.infer<typeof approvers>;
export type SqlClass = z.infer<typeof sqlClass>;
export type SqlDialect = z.infer<typeof sqlDialect>;
export type CommandEffect = z.infer<typeof commandEffect>;
export type SealingKey = z.infer<typeof sealingKey>;
export type ServerSpec = z.infer<typeof server>;
export type ClientFeature = z.infer<typeof clientFeature>;
export type ToolPin = z.infer<typeof toolPin>;
export type ToolPolicy = z.infer<typeof tools>;
export type Limits = z.infer<typeof limits>;

/** `namespace/name`, the way a gateway is named in logs, records and metrics. */
export function gatewayName(gateway: Bundle['gateway']): string {
  return `${gateway.namespace}/${gateway.name}`;
}
