/** McpGateway spec.credentials[].inject: where a secret is put in on the way out. */
import { z } from 'zod';
import { fileTemplate, template } from './expressions.ts';
import { RESERVED_HEADERS } from './reserved-headers.ts';
import { exactlyOne, header, line, partName, withRules } from './shapes.ts';
import { SIDECAR_PORTS } from './sidecar.ts';

const injectedHeader = header.extend({
  name: header.shape.name.refine(
    (name) => !RESERVED_HEADERS.test(name),
    'must not be a header that the protocol uses itself',
  ),
  value: template.describe('Text with {{ field }} for each field of the secret.'),
});

const variable = z
  .string()
  .max(128)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

const egressMembers = z.strictObject({
  hosts: z
    .array(
      z
        .string()
        .max(260)
        .regex(
          /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$/,
          'must be a host name, "*." and the end of one, or either with :port',
        ),
    )
    .min(1)
    .max(64)
    .describe('The only hosts that get the secret; port 443 where none is given.'),
  header: injectedHeader
    .optional()
    .describe('The header that is set. What follows "Basic " is encoded as RFC 7617 says.'),
  query: z
    .strictObject({ name: line(128), value: template })
    .optional()
    .describe('A query parameter that is set.'),
  placeholder: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_.-]*$/, 'must consist of letters, digits, "_", "." and "-"')
    .optional()
    .describe(
      'How the text begins that the server holds instead of the secret; only calls with it get the secret.',
    ),
  env: variable.optional().describe('The variable of the server that holds the placeholder.'),
});

type Egress = z.output<typeof egressMembers>;

const egress = withRules(egressMembers, [
  {
    cel: 'has(self.header) || has(self.query)',
    message: 'must have header or query',
    holds: (value: Egress) => value.header !== undefined || value.query !== undefined,
  },
  {
    cel: '!has(self.env) || has(self.placeholder)',
    message: 'must have placeholder where env is given',
    holds: (value: Egress) => value.env === undefined || value.placeholder !== undefined,
  },
]);

const postgresMembers = z.strictObject({
  listen: z.int().min(1).max(65535).describe('Port on loopback that the server connects to.'),
  upstream: z
    .string()
    .max(300)
    .regex(/^[A-Za-z0-9.-]+:[0-9]{1,5}$/, 'must be host:port'),
  database: line(63),
  caBundle: z
    .string()
    .max(65_536)
    .startsWith('-----BEGIN CERTIFICATE-----', 'must hold certificates in PEM')
    .optional()
    .describe('Roots that vouch for the database; without it those of the system and of the installation.'),
  env: variable.optional().describe('The variable of the server that holds the postgres:// URL.'),
});

const ofSidecar: readonly number[] = Object.values(SIDECAR_PORTS).sort((a, b) => a - b);

const postgres = withRules(postgresMembers, [
  {
    cel: `!(self.listen in [${ofSidecar.join(', ')}])`,
    message: `must not listen on ${ofSidecar.join(', ')}, which are the sidecar's own ports`,
    holds: ({ listen }) => !ofSidecar.includes(listen),
  },
]);

const file = z.strictObject({
  name: partName.describe('Name of the file in /var/run/secrets/gatehouse-credentials of the server.'),
  value: fileTemplate.describe(
    'What it holds: text with {{ field }} for each field of the secret, {{ field | sh }} where a shell reads it, {{ field | json }} where JSON.',
  ),
  env: variable.optional().describe('The variable of the server that holds the path of the file.'),
});

export const credentialInject = exactlyOne({
  server: z.strictObject({ header: injectedHeader }).describe('A header towards the MCP server.'),
  egress: egress.describe('A header or query parameter on calls of the server to the outside.'),
  postgres: postgres.describe('User and password on connections of the server to a database.'),
  file: file.describe('A file that the server reads: the server sees the secret.'),
});
