/** Thrown when a message would cost more work than it may. */
export class BudgetSpent extends Error {}

/**
 * The work one message may cause, in characters looked at. Counting work and not time makes the same message
 * end the same way on every machine.
 */
export class Budget {
  #left: number;

  constructor(characters: number) {
    this.#left = characters;
  }

  spend(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw new BudgetSpent();
  }
}
