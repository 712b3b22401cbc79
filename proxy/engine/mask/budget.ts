/** Thrown when a message would cost more work than it may. */
export class BudgetSpent extends Error {}

/**
 * The work one message may cause, in characters looked at. Counting work and not time makes the same message
 * end the same way on every machine. The time limit beside it is for what cannot be counted: how far a pattern of
 * a policy looks ahead of each of its matches.
 */
export class Budget {
  #left: number;
  readonly #isLate: () => boolean;

  constructor(characters: number, isLate: () => boolean = () => false) {
    this.#left = characters;
    this.#isLate = isLate;
  }

  spend(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw new BudgetSpent();
  }

  /** To be called between uncounted steps that are each linear in the text. */
  checkTime(): void {
    if (this.#isLate()) throw new BudgetSpent();
  }
}
