/** What a credential asks Vault for, and how long it may be used. One request makes one grant. */
import { z } from 'zod';
import type { Credential } from '../../../crds/bundle.ts';
import type { Secret } from '../../../lib/secret.ts';
import type { VaultAnswer, VaultClient } from './client.ts';
import { fieldsOf } from './fields.ts';
import { createKv, type KvSource } from './kv.ts';

/** A source of Vault: the role of the auth method, and the engine that is asked. */
export type VaultSource = Extract<Credential['source'], { readonly vault: unknown }>['vault'];
type Pki = Extract<VaultSource['engine'], { readonly pki: unknown }>['pki'];

export interface Granted {
  readonly fields: ReadonlyMap<string, Secret>;
  /** Undefined for what Vault keeps no book of: it cannot be revoked. */
  readonly leaseId: string | undefined;
  /** Milliseconds that it holds; Infinity for what does not end. */
  readonly ttlMs: number;
  readonly renewable: boolean;
  /** Milliseconds after which to look whether there is a newer one; Infinity for never. */
  readonly staleMs: number;
}

export interface Engine {
  /** Whether all who ask get the same, so that it is asked for once. */
  readonly shared: boolean;
  /** Throws VaultError. `now`: milliseconds since the epoch. */
  grant(client: VaultClient, token: Secret, now: number): Promise<Granted>;
}

/** How soon a secret is looked at again that others may change at any time. */
const LOOK_MS = 60_000;
const SECOND_MS = 1000;

export function engineOf({ engine }: VaultSource): Engine {
  if ('kv' in engine) return kvEngine(engine.kv);
  if ('dynamic' in engine) return leasedEngine(`${engine.dynamic.mount}/creds/${engine.dynamic.role}`);
  if ('static' in engine) return staticEngine(engine.static);
  if ('pki' in engine) return pkiEngine(engine.pki);
  return leasedEngine(engine.read.path, engine.read.parameters);
}

function kvEngine(source: KvSource): Engine {
  const read = createKv(source);
  // A pinned version is what it is, but may be deleted.
  return {
    shared: true,
    grant: async (client, token) => ({ ...LEASELESS, fields: fieldsOf(await read(client, token)) }),
  };
}

/** What neither ends nor can be revoked. */
const LEASELESS = {
  leaseId: undefined,
  ttlMs: Number.POSITIVE_INFINITY,
  renewable: false,
  staleMs: LOOK_MS,
} as const;

function leasedEngine(path: string, parameters?: Readonly<Record<string, string>>): Engine {
  return {
    shared: false,
    grant: async (client, token) => {
      const answer =
        parameters === undefined
          ? await client.read(path, token)
          : await client.write(path, parameters, token);
      return { ...holdOf(answer), fields: fieldsOf(answer.data) };
    },
  };
}

/** A lease ends when it says; what has none is looked at again, for it may have changed. */
function holdOf({ leaseId, leaseMs, renewable }: VaultAnswer): Omit<Granted, 'fields'> {
  if (leaseId === '') return LEASELESS;
  // Vault gives no lease without an end; one that names none is not to be trusted for long.
  return { leaseId, ttlMs: leaseMs === 0 ? LOOK_MS : leaseMs, renewable, staleMs: Number.POSITIVE_INFINITY };
}

const rotation = z.object({ ttl: z.number() });

/** The password of a user that stays: Vault changes it by its own clock and says when next. */
function staticEngine({ mount, role }: { readonly mount: string; readonly role: string }): Engine {
  return {
    shared: true,
    grant: async (client, token) => {
      const { data } = await client.read(`${mount}/static-creds/${role}`, token);
      const next = rotation.safeParse(data);
      // Vault counts whole seconds: a password that is about to change is asked for again in a second.
      const staleMs = Math.max(next.data?.ttl ?? 0, 1) * SECOND_MS;
      const { username, password } = data;
      // While Vault is away it changes nothing, so the password holds until somebody says that it does not.
      return { ...LEASELESS, fields: fieldsOf({ username, password }), staleMs };
    },
  };
}

const issued = z.object({ expiration: z.number() });

function pkiEngine({ mount, role, commonName, altNames, ttl }: Pki): Engine {
  const request = {
    common_name: commonName,
    ...(altNames.length === 0 ? {} : { alt_names: altNames.join(',') }),
    ...(ttl === undefined ? {} : { ttl }),
  };
  return {
    shared: false,
    grant: async (client, token, now) => {
      const answer = await client.write(`${mount}/issue/${role}`, request, token);
      const { expiration } = issued.parse(answer.data);
      return {
        fields: fieldsOf(answer.data),
        leaseId: answer.leaseId === '' ? undefined : answer.leaseId,
        ttlMs: expiration * SECOND_MS - now,
        renewable: false,
        staleMs: Number.POSITIVE_INFINITY,
      };
    },
  };
}
