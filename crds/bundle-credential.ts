/** The part of the bundle that speaks of credentials: where they come from, and where they go. */
import { z } from 'zod';

const names = z.array(z.string());
const header = z.object({ name: z.string(), value: z.string() });

/** How Vault is asked; exactly one member is there. */
const vaultEngine = z.union([
  z.object({
    kv: z.object({ mount: z.string(), path: z.string(), version: z.int().positive().optional() }),
  }),
  z.object({ dynamic: z.object({ mount: z.string(), role: z.string() }) }),
  z.object({ static: z.object({ mount: z.string(), role: z.string() }) }),
  z.object({
    pki: z.object({
      mount: z.string(),
      role: z.string(),
      commonName: z.string(),
      altNames: names,
      ttl: z.string().optional(),
    }),
  }),
  z.object({
    read: z.object({ path: z.string(), parameters: z.record(z.string(), z.string()).optional() }),
  }),
]);

/** `role` is that of the auth method. */
const vaultSource = z.object({ role: z.string(), engine: vaultEngine });

/** A name may begin with `*.`. */
const hostPort = z.object({ host: z.string(), port: z.int().min(1).max(65535) });

const egressInject = z.object({
  hosts: z.array(hostPort).min(1),
  header: header.optional(),
  query: header.optional(),
  /** What the server holds instead of the secret: only calls that carry it get the secret. */
  placeholder: z.object({ prefix: z.string(), value: z.string() }).optional(),
  env: z.string().optional(),
});

const postgresInject = z.object({
  listen: z.int().min(1).max(65535),
  upstream: hostPort,
  database: z.string(),
  caBundle: z.string().optional(),
  env: z.string().optional(),
});

const fileInject = z.object({ name: z.string(), value: z.string(), env: z.string().optional() });

/** `value` holds `{{ field }}`. The path of a devFile is absolute: the source resolved it. */
export const credential = z.object({
  name: z.string(),
  scope: z.enum(['Request', 'Session', 'Pod']),
  whenShared: z.enum(['Queue', 'Refuse', 'Pod']),
  source: z.union([z.object({ devFile: z.object({ path: z.string() }) }), z.object({ vault: vaultSource })]),
  inject: z.union([
    z.object({ server: z.object({ header }) }),
    z.object({ egress: egressInject }),
    z.object({ postgres: postgresInject }),
    z.object({ file: fileInject }),
  ]),
});

/** Where the installation's Vault is and how a proxy logs in there. */
export const vaultAccess = z.object({
  address: z.string(),
  caBundle: z.string().optional(),
  namespace: z.string().optional(),
  auth: z.discriminatedUnion('kind', [
    /** With the projected token of the Vault audience. */
    z.object({ kind: z.literal('jwt'), mount: z.string() }),
    z.object({ kind: z.literal('kubernetes'), mount: z.string() }),
    /** A JSON file with `roleId` and `secretId`. Standalone. */
    z.object({ kind: z.literal('appRole'), mount: z.string(), file: z.string() }),
    /** A file that holds a token. Standalone. */
    z.object({ kind: z.literal('tokenFile'), file: z.string() }),
  ]),
});

/** What a server may reach on its own, beside the hosts of its credentials. */
export const egress = z.object({ default: z.enum(['Deny', 'Allow']), allow: z.array(hostPort) });

export type Credential = z.infer<typeof credential>;
export type VaultAccess = z.infer<typeof vaultAccess>;
