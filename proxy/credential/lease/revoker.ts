/** Gives leases back to Vault: a few at a time, again when Vault is away, and not for longer than they live anyway. */
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { runAt } from '../schedule.ts';
import { VaultError } from '../vault/error.ts';
import { backoffMs } from '../vault/retry.ts';
import { detailOf } from '../vault/denials.ts';
import type { LeaseJournal, Taken } from './journal.ts';

export interface RevokerDeps {
  readonly clock: Clock;
  /** [0, 1) */
  readonly random: () => number;
  readonly log: Logger;
  readonly journal: LeaseJournal;
  /** Throws VaultError. */
  readonly revoke: (role: string, leaseId: string) => Promise<void>;
  readonly onOutcome: (outcome: 'ok' | 'failed') => void;
}

const AT_ONCE = 8;

interface Wanted extends Taken {
  attempt: number;
}

export class Revoker {
  readonly #deps: RevokerDeps;
  readonly #queue: Wanted[] = [];
  /** Being revoked, or waiting for Vault. */
  readonly #open = new Set<Wanted>();
  #running = 0;
  #saidDenied = false;
  #whenIdle: (() => void)[] = [];

  constructor(deps: RevokerDeps) {
    this.#deps = deps;
  }

  revoke(lease: Taken): void {
    const wanted = { ...lease, attempt: 0 };
    this.#open.add(wanted);
    this.#queue.push(wanted);
    this.#next();
  }

  /** Resolves when everything is revoked or given up. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const wanted = this.#queue.shift();
      if (wanted === undefined) return;
      this.#running += 1;
      void this.#run(wanted).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #run(wanted: Wanted): Promise<void> {
    const { clock, random, revoke } = this.#deps;
    if (clock.now() >= wanted.until) {
      await this.#done(wanted);
      return;
    }
    try {
      await revoke(wanted.role, wanted.lease);
      this.#deps.onOutcome('ok');
      await this.#done(wanted);
    } catch (error) {
      if (isFinal(error)) {
        await this.#giveUp(wanted, error);
        return;
      }
      const at = clock.now() + backoffMs(wanted.attempt, random());
      wanted.attempt += 1;
      runAt(clock, Math.min(at, wanted.until), () => {
        this.#queue.push(wanted);
        this.#next();
      });
    }
  }

  async #giveUp(wanted: Wanted, error: unknown): Promise<void> {
    this.#deps.onOutcome('failed');
    if (!this.#saidDenied) {
      this.#saidDenied = true;
      this.#deps.log.warn(
        { reason: sentenceOf(error), detail: detailOf(error) },
        'a lease cannot be revoked and ends by itself; let the policy of the role update sys/leases/revoke',
      );
    }
    await this.#done(wanted);
  }

  async #done(wanted: Wanted): Promise<void> {
    await this.#deps.journal.gone(wanted.lease).catch(() => undefined);
    this.#open.delete(wanted);
    if (this.#open.size > 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}

/** A policy that forbids it. Anything else may pass: a database that is away is status 400 here, and may come back. */
function isFinal(error: unknown): boolean {
  return error instanceof VaultError && error.status === 403;
}
