/** Makes leases and gives them back: within the caps, on file before they are lent, masked before they are seen. */
import { sentenceOf } from '../../../lib/errors.ts';
import { unavailable } from '../template.ts';
import type { VaultAccess } from '../vault/access.ts';
import type { Engine, Granted } from '../vault/engines.ts';
import { VaultError } from '../vault/error.ts';
import { detailOf } from '../vault/denials.ts';
import type { Caps } from './caps.ts';
import { Held } from './held.ts';
import type { LeaseJournal } from './journal.ts';
import type { Revoker } from './revoker.ts';
import type { LenderDeps } from '../lender.ts';

/** What a credential of Vault is made of. */
export interface VaultCredential {
  readonly name: string;
  /** Of the auth method. */
  readonly role: string;
  readonly engine: Engine;
}

export interface MintDeps extends LenderDeps {
  readonly access: VaultAccess;
  readonly journal: LeaseJournal;
  readonly revoker: Revoker;
  readonly caps: Caps;
}

export class Mint {
  readonly #deps: MintDeps;
  readonly #held = new Set<Held>();
  readonly #failing = new Set<string>();
  #made = 0;

  constructor(deps: MintDeps) {
    this.#deps = deps;
  }

  /** Throws CredentialError. */
  async make(credential: VaultCredential, replaces: boolean): Promise<Held> {
    const { gateway, metrics, caps } = this.#deps;
    const refusal = credential.engine.shared ? undefined : caps.refusal(this.#held.size);
    if (refusal !== undefined) {
      metrics.minted(gateway, 'refused');
      throw unavailable(credential.name, refusal);
    }
    try {
      const held = await caps.run(() => this.#take(credential, replaces));
      metrics.minted(gateway, 'ok');
      this.#failing.delete(credential.name);
      return held;
    } catch (error) {
      metrics.minted(gateway, 'failed');
      this.#tell(credential.name, error);
      throw unavailable(credential.name, reasonOf(error), error);
    }
  }

  /** Nobody is lent it any more. `revoke`: Vault still has it. */
  drop(held: Held, revoke: boolean): void {
    const { gateway, journal, known, metrics, revoker } = this.#deps;
    known.set(held.owner, []);
    if (held.leaseId === undefined) return;
    this.#held.delete(held);
    metrics.leases(gateway, this.#held.size);
    if (revoke) revoker.revoke({ lease: held.leaseId, role: held.role, until: held.term.until });
    else void journal.gone(held.leaseId).catch(() => undefined);
  }

  async #take(credential: VaultCredential, replaces: boolean): Promise<Held> {
    const { access, clock, gateway, journal, known, metrics, revoker } = this.#deps;
    const { name, role, engine } = credential;
    const from = clock.now();
    const { granted, token } = await access.use(role, async (client, token) => ({
      granted: await engine.grant(client, token.value, from),
      token,
    }));
    this.#made += 1;
    const owner = `${gateway}/${name}#${this.#made}`;
    const held = new Held({ ...termOf(granted, from), credential: name, role, owner, token, replaces });
    if (held.leaseId !== undefined) {
      const taken = { lease: held.leaseId, role, until: held.term.until };
      try {
        await journal.take(taken);
      } catch (error) {
        revoker.revoke(taken);
        throw error;
      }
      this.#held.add(held);
      metrics.leases(gateway, this.#held.size);
    }
    known.set(
      owner,
      [...held.fields.values()].map((value) => value.reveal()),
    );
    return held;
  }

  /** Once until it works again: a Vault that is away must not fill the log. */
  #tell(credential: string, error: unknown): void {
    if (this.#failing.has(credential)) return;
    this.#failing.add(credential);
    this.#deps.log.warn(
      { credential, reason: sentenceOf(error), detail: detailOf(error) },
      'a credential is not to be had',
    );
  }
}

type TermFacts = Pick<ConstructorParameters<typeof Held>[0], 'fields' | 'leaseId' | 'term' | 'staleAt'>;

function termOf({ fields, leaseId, ttlMs, renewable, staleMs }: Granted, from: number): TermFacts {
  return {
    fields,
    leaseId,
    term: { from, until: from + ttlMs, ttlMs, renewable: renewable && leaseId !== undefined },
    staleAt: from + staleMs,
  };
}

function reasonOf(error: unknown): string {
  return error instanceof VaultError
    ? error.message
    : 'the proxy failed while it asked for it; its log says why';
}
