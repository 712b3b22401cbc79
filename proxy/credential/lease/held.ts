/** One grant that is held: its fields, its term, and what it hangs on. */
import type { Secret } from '../../../lib/secret.ts';
import type { Lease } from '../lease.ts';
import { endingWith, nextStep, type NextStep, type Term } from '../term.ts';
import type { VaultToken } from '../vault/token.ts';

export interface HeldFacts {
  readonly credential: string;
  /** Of the auth method. */
  readonly role: string;
  readonly fields: ReadonlyMap<string, Secret>;
  /** Under this name the masker knows its values. */
  readonly owner: string;
  readonly leaseId: string | undefined;
  readonly token: VaultToken;
  readonly term: Term;
  /** When to look whether there is a newer one; milliseconds since the epoch. */
  readonly staleAt: number;
  /** Whether it was made because the upstream refused the one before. */
  readonly replaces: boolean;
}

export class Held implements Lease {
  readonly credential: string;
  readonly role: string;
  readonly fields: ReadonlyMap<string, Secret>;
  readonly owner: string;
  readonly leaseId: string | undefined;
  readonly token: VaultToken;
  readonly replaces: boolean;
  readonly mintedAt: number;
  term: Term;
  staleAt: number;
  /** Lent since it was granted. */
  used = false;
  #over = false;
  /** Calls off what is planned for it. */
  cancel: () => void = () => undefined;

  constructor(facts: HeldFacts) {
    this.credential = facts.credential;
    this.role = facts.role;
    this.fields = facts.fields;
    this.owner = facts.owner;
    this.leaseId = facts.leaseId;
    this.token = facts.token;
    this.term = facts.term;
    this.mintedAt = facts.term.from;
    this.staleAt = facts.staleAt;
    this.replaces = facts.replaces;
  }

  /** For how long it was first granted, milliseconds. */
  get ttlMs(): number {
    return this.term.ttlMs;
  }

  /** Gone, or given back. */
  isOver(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  /** Milliseconds since the epoch; a lease ends with the token that it hangs on, a secret without one does not. */
  get until(): number {
    return this.leaseId === undefined ? this.term.until : Math.min(this.term.until, this.token.term.until);
  }

  get expiresAt(): number | undefined {
    return Number.isFinite(this.until) ? this.until : undefined;
  }

  isUsable(now: number): boolean {
    return !this.#over && now < this.until && (this.leaseId === undefined || this.token.state !== 'dead');
  }

  /** `random`: [0, 1). */
  nextStep(now: number, random: number): NextStep {
    if (this.leaseId === undefined || this.token.state === 'live') return nextStep(this.term, random);
    return nextStep(endingWith({ ...this.term, from: now }, this.token.term.until), random);
  }

  sameFields(other: Held): boolean {
    return (
      this.fields.size === other.fields.size &&
      [...this.fields].every(([name, value]) => other.fields.get(name)?.reveal() === value.reveal())
    );
  }
}
