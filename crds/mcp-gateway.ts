/** McpGateway: one MCP server, who may call it, and what is lent to it. */
import { z } from 'zod';
import { gatewayAccess, gatewayIdentity } from './gateway-access.ts';
import { gatewayCredentials } from './gateway-credential.ts';
import { gatewayServer, httpUrl } from './gateway-server.ts';
import { gatewayTools, knownTools } from './gateway-tools.ts';
import type { CrossRule } from './shapes.ts';
import { duration, labels, line, size, withRules } from './shapes.ts';

const selector = z.strictObject({
  matchLabels: labels
    .refine((value) => Object.keys(value).length > 0, 'must have at least one label')
    .meta({ minProperties: 1, maxProperties: 64 }),
});

const egress = z.strictObject({
  default: z.enum(['Deny', 'Allow']).default('Deny'),
  allow: z
    .array(
      z
        .string()
        .max(300)
        .regex(/^[A-Za-z0-9*.-]+:[0-9]{1,5}$/, 'must be host:port'),
    )
    .max(256)
    .default([]),
});

const recording = z.strictObject({
  onFailure: z
    .enum(['Block', 'Allow'])
    .default('Block')
    .describe('What happens to calls while they cannot be recorded.'),
  retention: duration('1h', '3650d').prefault('90d'),
});

const limits = z.strictObject({
  maxBodyBytes: size('1Ki', '64Mi').prefault('4Mi'),
  callTimeout: duration('1s', '24h').prefault('10m'),
  sessionIdle: duration('1s', '24h').prefault('5m'),
  callsPerMinute: z.int().min(1).max(1_000_000).default(600).describe('For each caller.'),
  leases: z.int().min(1).max(20_000).default(500).describe('Of Vault, held at once in a pod.'),
  leasesPerMinute: z.int().min(1).max(100_000).default(300).describe('Made in a pod.'),
});

const quantities = z
  .record(z.string(), line(32))
  .refine((value) => Object.keys(value).length <= 8, 'must have at most 8 resources')
  .meta({ maxProperties: 8 });

const sidecar = z.strictObject({
  resources: z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }).optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

const members = z.strictObject({
  selector: selector
    .optional()
    .describe('The pods it guards; they opt in with gatehouse.dev/inject: "true".'),
  unguarded: z
    .enum(['Refuse', 'Report'])
    .default('Refuse')
    .describe('What happens to a selected pod without the sidecar.'),
  server: gatewayServer,
  publicUrl: httpUrl.optional().describe('The resource that tokens are for (RFC 8707, RFC 9728).'),
  interception: z
    .enum(['Redirect', 'Port'])
    .default('Redirect')
    .describe('Port needs no NET_ADMIN and is weaker.'),
  identity: gatewayIdentity,
  access: gatewayAccess,
  tools: gatewayTools.prefault({}),
  credentials: gatewayCredentials.default([]),
  egress: egress.optional(),
  recording: recording.prefault({}),
  limits: limits.prefault({}),
  sidecar: sidecar.prefault({}),
});

export type McpGatewaySpec = z.output<typeof members>;

/** The audiences that a provider names itself; a provider without tokens needs none. */
function audiencesOf(provider: McpGatewaySpec['identity'][number]): readonly string[] | undefined {
  if ('oidc' in provider) return provider.oidc.audiences;
  if ('serviceAccount' in provider) return provider.serviceAccount.audiences;
  return [];
}

const rules: readonly CrossRule<McpGatewaySpec>[] = [
  {
    cel: 'has(self.selector) || !has(self.server.port)',
    message: 'must have selector where server.port is given',
    holds: (spec) => spec.selector !== undefined || spec.server.port === undefined,
  },
  {
    cel: '!has(self.selector) || !has(self.server.url)',
    message: 'must have either selector or server.url, not both',
    holds: (spec) => spec.selector === undefined || spec.server.url === undefined,
  },
  {
    cel: 'has(self.publicUrl) || self.identity.all(p, (!has(p.oidc) || has(p.oidc.audiences)) && (!has(p.serviceAccount) || has(p.serviceAccount.audiences)))',
    message: 'must have publicUrl where an oidc or serviceAccount provider has no audiences',
    holds: (spec) =>
      spec.publicUrl !== undefined || spec.identity.every((provider) => audiencesOf(provider) !== undefined),
  },
  {
    cel: "self.interception != 'Port' || (has(self.egress) ? self.egress.default == 'Allow' : self.credentials.all(c, !has(c.inject.egress)))",
    message:
      'must have egress.default: Allow with interception Port, which holds nothing of what is sent out; or use Redirect',
    holds: (spec) =>
      spec.interception !== 'Port' ||
      (spec.egress === undefined
        ? spec.credentials.every((credential) => !('egress' in credential.inject))
        : spec.egress.default === 'Allow'),
  },
  {
    cel: "self.server.transport != 'Stdio' || self.credentials.all(c, !has(c.inject.server))",
    message: 'must not inject a header towards a server with transport Stdio, which has no headers',
    holds: (spec) =>
      spec.server.transport !== 'Stdio' ||
      spec.credentials.every((credential) => !('server' in credential.inject)),
  },
  {
    cel: 'self.credentials.all(c, !has(c.inject.postgres) || ((!has(self.server.port) || c.inject.postgres.listen != self.server.port) && !(c.inject.postgres.listen in self.server.openPorts)))',
    message: 'must not have an inject.postgres.listen that is server.port or among server.openPorts',
    holds: ({ credentials, server }) =>
      credentials.every(
        ({ inject }) =>
          !('postgres' in inject) || ![server.port, ...server.openPorts].includes(inject.postgres.listen),
      ),
  },
];

export const mcpGatewaySpec = withRules(members, rules);

export const mcpGatewayStatus = z.strictObject({
  pods: z
    .strictObject({
      guarded: z.int().min(0).max(1_000_000),
      outdated: z.int().min(0).max(1_000_000),
      unguarded: z.int().min(0).max(1_000_000),
    })
    .optional(),
  bundle: line(64).optional().describe('Revision that is published.'),
  warnings: z.array(line(1024)).max(64).optional(),
  tools: knownTools
    .optional()
    .describe('The tools that were seen, by the digest of their definitions.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
});
