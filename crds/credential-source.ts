/** McpGateway spec.credentials[].source: where a secret comes from. Never an address: those are the installation's. */
import { z } from 'zod';
import { exactlyOne, exactlyOneBeside, line } from './shapes.ts';

const mount = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^/\s?#][^\s?#]*$/, 'must be a path without a leading "/", blanks, "?" and "#"')
  .refine(
    (path) => !path.split('/').some((step) => step === '..' || step === '.'),
    'must not have "." or ".." as a step',
  );

const kv = z.strictObject({
  mount,
  path: mount,
  version: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .describe('Version of the secret (KV 2); without it the newest, followed as it rotates.'),
});

const pki = z.strictObject({
  mount,
  role: line(128),
  commonName: line(253),
  altNames: z.array(line(253)).max(64).default([]),
  ttl: z
    .string()
    .max(32)
    .regex(/^[0-9]{1,9}(s|m|h|d)$/, 'must be a duration such as 30m, 12h or 7d')
    .optional(),
});

const read = z.strictObject({
  path: mount.describe('Any path that Vault answers with fields, as in "aws/sts/deploy".'),
  parameters: z
    .record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the name of a parameter'), line(1024))
    .refine((value) => Object.keys(value).length <= 32, 'must have at most 32 parameters')
    .meta({ maxProperties: 32 })
    .optional()
    .describe('Given, they are written to the path; without them the path is read.'),
});

const databaseRole = z.strictObject({ mount, role: line(128) });

const vault = exactlyOneBeside(
  { role: line(128).describe('Role of the Vault auth method of the installation.') },
  {
    kv: kv.describe('A secret of a KV engine, version 1 or 2.'),
    dynamic: databaseRole.describe('A database user that is made for the work and dropped after it.'),
    static: databaseRole.describe('A database user that exists and whose password Vault rotates.'),
    pki: pki.describe('A certificate with its key.'),
    read: read.describe('Any other engine: its fields, for as long as its lease says.'),
  },
);

const devFile = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[^/\\].*$/, 'must be relative to the directory of the manifests')
    .refine((path) => !path.split(/[/\\]/).includes('..'), 'must not leave the directory of the manifests'),
});

export const credentialSource = exactlyOne({
  vault: vault.describe('A secret or a lease of Vault.'),
  devFile: devFile.describe('Standalone only: a JSON object of field to value, read again when it changes.'),
});
