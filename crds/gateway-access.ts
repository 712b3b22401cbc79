/** McpGateway spec.identity and spec.access: who may call, and what they may reach. */
import { z } from 'zod';
import { RESERVED_AUDIENCES } from './audiences.ts';
import { celCondition } from './expressions.ts';
import { httpUrl } from './gateway-server.ts';
import { emptyObject, exactlyOneBeside, globs, line, partName, texts, withRules } from './shapes.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const issuer = httpUrl
  .refine((text) => isPrivate(text), 'must be an https:// URL; http:// is for loopback alone')
  .describe('The issuer, exactly as its tokens and its metadata say it.');

function isPrivate(text: string): boolean {
  const url = URL.parse(text);
  return url === null || url.protocol === 'https:' || LOOPBACK.has(url.hostname);
}

const audience = line(2048)
  .refine(
    (text) => !RESERVED_AUDIENCES.includes(text),
    `must not be ${RESERVED_AUDIENCES.join(' or ')}, which only sidecars have tokens for`,
  )
  .meta({
    'x-kubernetes-validations': [
      {
        rule: `!(self in [${RESERVED_AUDIENCES.map((text) => `'${text}'`).join(', ')}])`,
        message: `must not be ${RESERVED_AUDIENCES.join(' or ')}, which only sidecars have tokens for`,
      },
    ],
  });

const audiences = z
  .array(audience)
  .min(1)
  .max(16)
  .optional()
  .describe('Audiences that a token may be for; without them publicUrl.');

const caBundle = z
  .string()
  .max(262_144)
  .regex(/^\s*-----BEGIN CERTIFICATE-----/, 'must be certificates in PEM')
  .describe('Certificates in PEM that vouch for the issuer instead of the system roots.');

const oidc = z.strictObject({
  issuer,
  audiences,
  usernameClaim: line(128).default('sub').describe('The claim that access rules compare with users.'),
  groupsClaim: line(128).default('groups').describe('The claim that access rules compare with groups.'),
  caBundle: caBundle.optional(),
});

const provider = exactlyOneBeside(
  { name: partName },
  {
    oidc: oidc.describe('Bearer tokens of an OpenID Connect issuer.'),
    serviceAccount: z.strictObject({ audiences }).describe('Tokens of Kubernetes service accounts.'),
    anonymous: emptyObject.describe('Callers without a token. Says that anyone may call.'),
  },
);

export const gatewayIdentity = z
  .array(provider)
  .min(1)
  .max(16)
  .superRefine((providers, context) => {
    refuseRepeated(providers, context);
  })
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

/** Names of providers and credentials stand in records, so they must be unique. */
export function refuseRepeated(parts: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { name }] of parts.entries()) {
    if (seen.has(name)) {
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `repeats the name "${name}"` });
    }
    seen.add(name);
  }
}

const accessMembers = z.strictObject({
  users: texts.default([]),
  groups: texts.default([]),
  serviceAccounts: texts.default([]).describe('namespace/name.'),
  spiffeIds: texts.default([]),
  authenticated: z.boolean().default(false).describe('Every caller that a provider verified.'),
  anonymous: z.boolean().default(false).describe('Callers without a token, where identity has anonymous.'),
  tools: globs.default([]),
  prompts: globs.default([]),
  resources: globs.default([]),
  methods: globs.default([]).describe('Methods of vendors, beside those of MCP.'),
  when: celCondition('access')
    .optional()
    .describe('CEL over caller, request and session; an error is no grant.'),
});

type Access = z.output<typeof accessMembers>;

const WHO_LISTS = ['users', 'groups', 'serviceAccounts', 'spiffeIds'] as const;

const accessRule = withRules(accessMembers, [
  {
    cel: `${WHO_LISTS.map((name) => `size(self.${name}) > 0`).join(' || ')} || self.authenticated || self.anonymous`,
    message:
      'names nobody; give users, groups, serviceAccounts, spiffeIds, authenticated: true or anonymous: true',
    holds: (rule: Access) =>
      rule.authenticated || rule.anonymous || WHO_LISTS.some((name) => rule[name].length > 0),
  },
]);

export const gatewayAccess = z
  .array(accessRule)
  .max(256)
  .describe('What callers may reach; what no rule grants is refused.');
