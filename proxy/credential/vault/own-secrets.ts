/** What we show Vault, and the tokens that it gives us for that: looked for in all that leaves, as what is lent is. */
import { randomUUID } from 'node:crypto';
import type { Secret } from '../../../lib/secret.ts';

/** Where values are told so that they are masked from then on. */
export interface KnownValues {
  set(owner: string, values: readonly string[]): void;
}

export class OwnSecrets {
  readonly #known: KnownValues;
  readonly #owner: string;
  #proof: readonly Secret[] = [];
  #tokens: readonly Secret[] = [];

  constructor(known: KnownValues, gateway: string) {
    this.#known = known;
    this.#owner = `${gateway}/vault/${randomUUID()}`;
  }

  /** To be told before it is shown. */
  showing(proof: Secret): void {
    this.#proof = [proof];
    this.#tell();
  }

  /** All that are still good for something. */
  holding(tokens: readonly Secret[]): void {
    this.#tokens = tokens;
    this.#tell();
  }

  /** They are looked for a while longer. */
  close(): void {
    this.#known.set(this.#owner, []);
  }

  #tell(): void {
    this.#known.set(
      this.#owner,
      [...this.#proof, ...this.#tokens].map((secret) => secret.reveal()),
    );
  }
}
