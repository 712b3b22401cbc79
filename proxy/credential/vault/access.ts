/** One Vault of the installation, as one gateway uses it: a token for each role, and what is done with leases. */
import type { Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/log.ts';
import { createVaultClient, type VaultClient } from './client.ts';
import { logIn, type VaultAuth } from './login.ts';
import { OwnSecrets, type KnownValues } from './own-secrets.ts';
import { TokenKeeper, type VaultToken } from './token.ts';
import { createTransport, type TransportOptions } from './transport.ts';

export interface VaultSettings extends Pick<TransportOptions, 'address' | 'caBundle'> {
  readonly namespace: string | undefined;
  readonly auth: VaultAuth;
}

export interface VaultAccessDeps {
  readonly gateway: string;
  readonly known: KnownValues;
  readonly clock: Clock;
  /** [0, 1) */
  readonly random: () => number;
  readonly log: Logger;
  /** A token became final or died: what hangs on it must be looked at. */
  readonly onTokenEnd: (token: VaultToken) => void;
  /** Time-outs other than the usual. */
  readonly patience?: Pick<TransportOptions, 'answerMs' | 'patienceMs'>;
  readonly lookup?: TransportOptions['lookup'];
}

/** Each throws VaultError. */
export interface VaultAccess {
  use<T>(role: string, work: (client: VaultClient, token: VaultToken) => Promise<T>): Promise<T>;
  /** Asks for as long a term as the first; tells the one that was given, in milliseconds. */
  renew(lease: HeldAtVault): Promise<{ readonly ttlMs: number; readonly renewable: boolean }>;
  revoke(role: string, leaseId: string): Promise<void>;
  /** Whether a denial means that Vault no longer knows the token. */
  isDead(lease: Pick<HeldAtVault, 'role' | 'token'>, denial: unknown): Promise<boolean>;
  close(): Promise<void>;
}

export interface HeldAtVault {
  readonly role: string;
  readonly token: VaultToken;
  readonly leaseId: string;
  /** Milliseconds for which it was first granted. */
  readonly ttlMs: number;
}

export function createVaultAccess(settings: VaultSettings, deps: VaultAccessDeps): VaultAccess {
  const transport = createTransport({ ...settings, ...deps, ...deps.patience });
  const client = createVaultClient({ ...settings, transport });
  const keepers = new Map<string, TokenKeeper>();
  const secrets: OwnSecrets[] = [];
  const newKeeper = (role: string): TokenKeeper => {
    const own = new OwnSecrets(deps.known, deps.gateway);
    secrets.push(own);
    return new TokenKeeper({
      ...deps,
      client,
      logIn: () => logIn(client, settings.auth, { role, onProof: (proof) => own.showing(proof) }),
      onEnd: deps.onTokenEnd,
      onTokens: (tokens) => own.holding(tokens),
    });
  };
  const keeperOf = (role: string): TokenKeeper => {
    const keeper = keepers.get(role) ?? newKeeper(role);
    keepers.set(role, keeper);
    return keeper;
  };

  return {
    use: (role, work) => keeperOf(role).use((token) => work(client, token)),
    renew: async ({ token, leaseId, ttlMs }) => {
      const increment = Math.ceil(ttlMs / 1000);
      const answer = await client.write('sys/leases/renew', { lease_id: leaseId, increment }, token.value);
      return { ttlMs: answer.leaseMs, renewable: answer.renewable };
    },
    revoke: (role, leaseId) =>
      keeperOf(role).use(async ({ value }) => {
        // Answered when the user is gone from the database, not when the wish was noted.
        await client.write('sys/leases/revoke', { lease_id: leaseId, sync: true }, value);
      }),
    isDead: ({ role, token }, denial) => keeperOf(role).isDead(token, denial),
    close: async () => {
      await Promise.allSettled([...keepers.values()].map((keeper) => keeper.close()));
      for (const own of secrets) own.close();
      await transport.close();
    },
  };
}
