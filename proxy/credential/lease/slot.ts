/**
 * A credential for one owner: the lease that is lent now, made when somebody asks, renewed while the owner is there,
 * followed by another before it ends, and given back when the owner goes.
 */
import type { Clock } from '../../../lib/clock.ts';
import { runAt } from '../schedule.ts';
import { VaultError } from '../vault/error.ts';
import { backoffMs } from '../vault/retry.ts';
import type { VaultToken } from '../vault/token.ts';
import type { Held } from './held.ts';

/** What happens outside of a slot. */
export interface SlotDeps {
  readonly clock: Clock;
  /** [0, 1) */
  readonly random: () => number;
  /** Makes one, within the caps; its values are masked and its id is on file when this returns. Throws CredentialError. */
  readonly mint: (replaces: boolean) => Promise<Held>;
  /** Throws VaultError. */
  readonly renew: (held: Held) => Promise<{ readonly ttlMs: number; readonly renewable: boolean }>;
  /** Whether Vault no longer knows the token that it hangs on. */
  readonly isTokenDead: (held: Held, denial: unknown) => Promise<boolean>;
  /** Whether nobody will say when its owner goes: nothing is made longer for it. */
  readonly passing: boolean;
  /** Nobody is lent it any more. `revoke`: Vault still has it. */
  readonly drop: (held: Held, revoke: boolean) => void;
  /** Throws CredentialError. */
  readonly refuse: (why: string) => never;
  /** Whether asking again later may help. */
  readonly isTemporary: (error: unknown) => boolean;
}

/** A secret that could not be looked at again is used on for so long before the next look. */
const LOOK_AGAIN_MS = 10_000;
/** One that was made because the upstream refused another, and is refused within this time, shows that this does not help. */
const JUST_NOW_MS = 5_000;

export class Slot {
  readonly #deps: SlotDeps;
  #held: Held | undefined;
  /** Followed by another, and still good for what uses them. */
  readonly #retired = new Set<Held>();
  #minting: Promise<Held> | undefined;
  #ended = false;

  constructor(deps: SlotDeps) {
    this.#deps = deps;
  }

  /** Throws CredentialError. */
  async lend(): Promise<Held> {
    const now = this.#deps.clock.now();
    const held = this.#held;
    if (held?.isUsable(now) !== true) return used(await this.#mint(false));
    if (now >= held.staleAt) return used(await this.#lookAgain(held));
    return used(held);
  }

  /** The upstream refused `refused`. Throws CredentialError. */
  async replace(refused: unknown): Promise<Held> {
    const held = this.#held;
    if (held === undefined || held !== refused) return this.lend();
    if (held.replaces && this.#deps.clock.now() - held.mintedAt < JUST_NOW_MS)
      this.#deps.refuse('the upstream refuses one that was made just now');
    if (held.leaseId !== undefined) this.#drop(held, true);
    const next = used(await this.#mint(true));
    if (next === held) this.#deps.refuse('the upstream refuses it, and Vault has no newer one');
    return next;
  }

  /** The owner is gone. What is being made now is given back as soon as it is there. */
  end(): void {
    this.#ended = true;
    for (const held of this.#all()) this.#drop(held, true);
  }

  /** A token became final or died. */
  tokenEnded(token: VaultToken): void {
    for (const held of this.#all()) {
      if (held.token !== token || held.leaseId === undefined) continue;
      if (token.state === 'dead') this.#drop(held, false);
      else if (held === this.#held) this.#plan(held);
    }
  }

  #all(): readonly Held[] {
    return [...this.#retired, ...(this.#held === undefined ? [] : [this.#held])];
  }

  /** However many ask: one is made. */
  #mint(replaces: boolean): Promise<Held> {
    this.#minting ??= this.#mintNow(replaces).finally(() => {
      this.#minting = undefined;
    });
    return this.#minting;
  }

  async #mintNow(replaces: boolean): Promise<Held> {
    const next = await this.#deps.mint(replaces);
    if (this.#ended) {
      this.#deps.drop(next, true);
      return this.#deps.refuse('what it was for has ended');
    }
    const before = this.#held;
    if (before?.isUsable(this.#deps.clock.now()) === true) {
      if (next.leaseId === undefined && before.leaseId === undefined && before.sameFields(next)) {
        before.staleAt = next.staleAt;
        return before;
      }
      this.#retire(before);
    }
    this.#held = next;
    this.#plan(next);
    return next;
  }

  #retire(held: Held): void {
    held.cancel();
    if (!Number.isFinite(held.until)) {
      this.#deps.drop(held, false);
      return;
    }
    this.#retired.add(held);
    held.cancel = runAt(this.#deps.clock, held.until, () => this.#drop(held, false));
  }

  #drop(held: Held, revoke: boolean): void {
    held.cancel();
    this.#retired.delete(held);
    if (this.#held === held) this.#held = undefined;
    if (held.isOver()) return;
    held.end();
    this.#deps.drop(held, revoke);
  }

  async #lookAgain(held: Held): Promise<Held> {
    try {
      return await this.#mint(false);
    } catch (error) {
      if (!this.#deps.isTemporary(error)) {
        this.#drop(held, false);
        throw error;
      }
      held.staleAt = this.#deps.clock.now() + LOOK_AGAIN_MS;
      return held;
    }
  }

  #plan(held: Held): void {
    held.cancel();
    const { clock, random } = this.#deps;
    const step = held.nextStep(clock.now(), random());
    if (step.kind === 'none') return;
    const renews = step.kind === 'renew' && !this.#deps.passing;
    const run = renews ? () => void this.#renew(held, 0) : () => void this.#follow(held, 0);
    held.cancel = runAt(clock, step.at, run);
  }

  async #renew(held: Held, attempt: number): Promise<void> {
    const from = this.#deps.clock.now();
    try {
      const { ttlMs, renewable } = await this.#deps.renew(held);
      if (held.isOver()) return;
      held.term = { ...held.term, from, until: from + ttlMs, renewable };
      this.#plan(held);
    } catch (error) {
      if (held.isOver()) return;
      const outcome = await this.#whatNow(held, error);
      if (held.isOver()) return;
      if (outcome === 'again') this.#again(held, attempt, () => this.#renew(held, attempt + 1));
      else if (outcome === 'follow') {
        held.term = { ...held.term, renewable: false };
        this.#plan(held);
      } else this.#drop(held, false);
    }
  }

  /** `gone`: it was revoked under us. `follow`: it holds, but will not be renewed. */
  async #whatNow(held: Held, error: unknown): Promise<'again' | 'follow' | 'gone'> {
    if (!(error instanceof VaultError) || error.temporary) return 'again';
    if (error.status === 403) return (await this.#deps.isTokenDead(held, error)) ? 'gone' : 'follow';
    if (error.status === 400) return /not renewable/.test(error.detail ?? '') ? 'follow' : 'gone';
    return 'again';
  }

  /** Makes the next one while this one holds; what nobody has used is let go. */
  async #follow(held: Held, attempt: number): Promise<void> {
    held.cancel = runAt(this.#deps.clock, held.until, () => this.#drop(held, false));
    if (!held.used) return;
    try {
      await this.#mint(false);
    } catch {
      if (!held.isOver()) this.#again(held, attempt, () => this.#follow(held, attempt + 1));
    }
  }

  #again(held: Held, attempt: number, work: () => Promise<void>): void {
    const { clock, random } = this.#deps;
    held.cancel();
    const at = clock.now() + backoffMs(attempt, random());
    held.cancel =
      at < held.until
        ? runAt(clock, at, () => void work())
        : runAt(clock, held.until, () => this.#drop(held, false));
  }
}

function used(held: Held): Held {
  held.used = true;
  return held;
}
