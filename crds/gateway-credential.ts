/** McpGateway spec.credentials: where a secret comes from, how long it is held and where it is put. */
import { z } from 'zod';
import { template } from './expressions.ts';
import { refuseRepeated } from './gateway-access.ts';
import { exactlyOne, header, line, partName } from './shapes.ts';

const mount = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^/\s][^\s]*$/, 'must be a path without a leading "/"');

const vault = z
  .strictObject({
    role: line(128).describe('Role of the Vault auth method of the installation.'),
    kv: z.strictObject({ mount, path: mount }).optional(),
    dynamic: z.strictObject({ mount, role: line(128) }).optional(),
  })
  .refine((source) => (source.kv === undefined) !== (source.dynamic === undefined), {
    message: 'must have exactly one of kv, dynamic',
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'has(self.kv) != has(self.dynamic)', message: 'must have exactly one of kv, dynamic' },
    ],
  });

const devFile = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[^/\\].*$/, 'must be relative to the directory of the manifests')
    .refine((path) => !path.split(/[/\\]/).includes('..'), 'must not leave the directory of the manifests'),
});

const source = exactlyOne({
  vault: vault.describe('A secret or a lease of Vault.'),
  devFile: devFile.describe('Standalone only: a JSON object of field to value, read again when it changes.'),
});

/** Headers that the proxy or the protocol sets; a credential there would break or bypass what they mean. */
const RESERVED_HEADERS =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|accept.*|mcp-.*|last-event-id|origin|expect)$/i;

const injectedHeader = header.extend({
  name: header.shape.name.refine(
    (name) => !RESERVED_HEADERS.test(name),
    'must not be a header that the protocol uses itself',
  ),
  value: template.describe('Text with {{ field }} for each field of the secret.'),
});

const postgres = z.strictObject({
  listen: z.int().min(1).max(65535),
  upstream: z
    .string()
    .max(300)
    .regex(/^[A-Za-z0-9.-]+:[0-9]{1,5}$/, 'must be host:port'),
  database: line(63),
});

const egress = z.strictObject({
  hosts: z.array(line(253)).min(1).max(64),
  header: injectedHeader,
  placeholder: line(256).optional().describe('What the server holds instead of the secret.'),
});

const inject = exactlyOne({
  server: z.strictObject({ header: injectedHeader }).describe('A header towards the MCP server.'),
  egress: egress.describe('A header on calls of the server to the outside.'),
  postgres: postgres.describe('User and password on connections of the server to a database.'),
});

const credential = z.strictObject({
  name: partName,
  source,
  scope: z.enum(['Request', 'Session', 'Pod']).default('Session'),
  whenShared: z
    .enum(['Queue', 'Refuse', 'Pod'])
    .default('Queue')
    .describe('What happens to an outbound call whose caller is not certain.'),
  inject,
});

export const gatewayCredentials = z
  .array(credential)
  .max(32)
  .superRefine((credentials, context) => {
    refuseRepeated(credentials, context);
  })
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
