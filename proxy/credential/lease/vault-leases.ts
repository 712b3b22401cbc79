/** The leases that one gateway has of one Vault, by credential and owner. */
import type { Credential } from '../../../crds/bundle.ts';
import { Lru } from '../../../lib/lru.ts';
import { CredentialError } from '../error.ts';
import type { Lease } from '../lease.ts';
import type { Whose } from '../../session/whose-call.ts';
import type { LenderDeps } from '../lender.ts';
import { unavailable } from '../template.ts';
import { createVaultAccess, type VaultAccess, type VaultSettings } from '../vault/access.ts';
import { engineOf, type Engine, type VaultSource } from '../vault/engines.ts';
import { VaultError } from '../vault/error.ts';
import type { VaultToken } from '../vault/token.ts';
import { Caps, type LeaseLimits } from './caps.ts';
import type { Held } from './held.ts';
import { LeaseJournal } from './journal.ts';
import { Mint } from './mint.ts';
import { Revoker } from './revoker.ts';
import { Slot } from './slot.ts';

type Named = Pick<Credential, 'name' | 'scope' | 'source'>;

interface Entry {
  readonly name: string;
  readonly role: string;
  readonly scope: Credential['scope'];
  readonly engine: Engine;
  /** What it was made from. */
  readonly definition: string;
  readonly slots: Map<string, Slot>;
}

/** What is not given back by then ends by itself, or by the next start. */
const CLOSE_MS = 10_000;
const MAX_REMEMBERED = 20_000;
/** Longer than any call goes on after its session. */
const STRAGGLERS_MS = 15 * 60_000;

interface Parts {
  readonly deps: LenderDeps;
  readonly access: VaultAccess;
  readonly journal: LeaseJournal;
  readonly revoker: Revoker;
  readonly mint: Mint;
}

export class VaultLeases {
  readonly #parts: Parts;
  #entries = new Map<string, Entry>();
  /** When sessions ended, the last of them. */
  readonly #ended = new Lru<string, number>(MAX_REMEMBERED);
  #closed = false;

  private constructor(parts: (leases: VaultLeases) => Parts) {
    this.#parts = parts(this);
  }

  /** Revokes what an earlier process left behind, beside everything else. */
  static async open(
    settings: VaultSettings,
    deps: LenderDeps & { readonly limits: () => LeaseLimits },
  ): Promise<VaultLeases> {
    const { journal, left } = await LeaseJournal.open(deps.journalFile);
    const leases = new VaultLeases((self) =>
      partsOf(settings, deps, journal, (token) => self.#tokenEnded(token)),
    );
    for (const lease of left) leases.#parts.revoker.revoke(lease);
    return leases;
  }

  use(credentials: readonly Named[]): void {
    const before = this.#entries;
    this.#entries = new Map();
    for (const credential of credentials) {
      if (!('vault' in credential.source)) continue;
      const definition = JSON.stringify([credential.scope, credential.source]);
      const known = before.get(credential.name);
      const same = known?.definition === definition;
      this.#entries.set(
        credential.name,
        same ? known : entryOf(credential, credential.source.vault, definition),
      );
      if (same) before.delete(credential.name);
    }
    for (const { slots } of before.values()) for (const slot of slots.values()) slot.end();
  }

  lend(credential: string, whose: Whose): Promise<Lease> {
    return this.#slot(credential, whose).lend();
  }

  replace(credential: string, whose: Whose, refused: Lease): Promise<Lease> {
    return this.#slot(credential, whose).replace(refused);
  }

  /** Fetches what is the same for all. What fails is told when somebody asks for it. */
  async preload(): Promise<void> {
    const shared = [...this.#entries.values()].filter(({ engine }) => engine.shared);
    await Promise.allSettled(shared.map(({ name }) => this.lend(name, 'pod')));
  }

  endRequest(session: string, request: string): void {
    for (const entry of this.#entries.values())
      if (entry.scope === 'Request') endSlot(entry, requestKey(session, request));
  }

  endSession(session: string): void {
    this.#ended.set(session, this.#parts.deps.clock.now());
    const requests = requestKey(session, '');
    for (const entry of this.#entries.values()) {
      endSlot(entry, sessionKey(session));
      if (entry.scope !== 'Request') continue;
      for (const key of entry.slots.keys()) if (key.startsWith(requests)) endSlot(entry, key);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { slots } of this.#entries.values()) for (const slot of slots.values()) slot.end();
    this.#entries.clear();
    const { access, deps, journal, revoker } = this.#parts;
    await Promise.race([revoker.idle(), new Promise<void>((resolve) => deps.clock.after(CLOSE_MS, resolve))]);
    // A token takes along what hangs on it, also what could not be revoked one by one.
    await access.close();
    await journal.close();
  }

  #tokenEnded(token: VaultToken): void {
    for (const { slots } of this.#entries.values()) for (const slot of slots.values()) slot.tokenEnded(token);
  }

  #slot(credential: string, whose: Whose): Slot {
    const entry = this.#entries.get(credential);
    if (entry === undefined || this.#closed)
      throw new CredentialError(
        'credential_invalid',
        `The credential "${credential}" cannot be used: this gateway has none of that name.`,
      );
    const key = keyOf(entry, whose);
    const slot = entry.slots.get(key) ?? this.#newSlot(entry, this.#isPassing(whose));
    entry.slots.set(key, slot);
    return slot;
  }

  /** Work may ask after its session has ended, and nobody ends that a second time. */
  #isPassing(whose: Whose): boolean {
    if (whose === 'pod') return false;
    const endedAt = this.#ended.get(whose.session);
    return endedAt !== undefined && this.#parts.deps.clock.now() - endedAt < STRAGGLERS_MS;
  }

  #newSlot(entry: Entry, passing: boolean): Slot {
    const { access, deps, mint } = this.#parts;
    return new Slot({
      clock: deps.clock,
      random: deps.random,
      passing,
      mint: (replaces) => mint.make(entry, replaces),
      renew: (held) => this.#renew(held),
      isTokenDead: (held, denial) => access.isDead(held, denial),
      drop: (held, revoke) => mint.drop(held, revoke),
      refuse: (why) => {
        throw unavailable(entry.name, why);
      },
      isTemporary: (error) =>
        error instanceof CredentialError && error.cause instanceof VaultError && isPassing(error.cause),
    });
  }

  async #renew(held: Held): Promise<{ readonly ttlMs: number; readonly renewable: boolean }> {
    const { access, deps } = this.#parts;
    try {
      const { role, token, leaseId = '', ttlMs } = held;
      const term = await access.renew({ role, token, leaseId, ttlMs });
      deps.metrics.renewed(deps.gateway, 'ok');
      return term;
    } catch (error) {
      deps.metrics.renewed(deps.gateway, 'failed');
      throw error;
    }
  }
}

function partsOf(
  settings: VaultSettings,
  deps: LenderDeps & { readonly limits: () => LeaseLimits },
  journal: LeaseJournal,
  onTokenEnd: (token: VaultToken) => void,
): Parts {
  const { clock, gateway, metrics, patience } = deps;
  const access = createVaultAccess(settings, {
    ...deps,
    onTokenEnd,
    ...(patience === undefined ? {} : { patience }),
  });
  const revoker = new Revoker({
    ...deps,
    journal,
    revoke: (role, lease) => access.revoke(role, lease),
    onOutcome: (outcome) => metrics.revoked(gateway, outcome),
  });
  const mint = new Mint({ ...deps, access, journal, revoker, caps: new Caps(deps.limits, clock) });
  return { deps, access, journal, revoker, mint };
}

function entryOf({ name, scope }: Named, source: VaultSource, definition: string): Entry {
  return { name, role: source.role, scope, engine: engineOf(source), definition, slots: new Map() };
}

/** What Vault keeps no book of and gives to all alike is one for all. */
function keyOf({ engine, scope }: Entry, whose: Whose): string {
  if (engine.shared || whose === 'pod' || scope === 'Pod') return 'pod';
  if (scope === 'Request' && whose.request !== undefined) return requestKey(whose.session, whose.request);
  return sessionKey(whose.session);
}

function sessionKey(session: string): string {
  return `s\0${session}`;
}

function requestKey(session: string, request: string): string {
  return `r\0${session}\0${request}`;
}

function endSlot({ slots }: Entry, key: string): void {
  slots.get(key)?.end();
  slots.delete(key);
}

/** A Vault that is away or busy, or that fails inside, says nothing about the secret. */
function isPassing(error: VaultError): boolean {
  return error.temporary || error.status === undefined || error.status >= 500;
}
