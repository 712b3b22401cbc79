import type { SqlClass } from '../../../crds/bundle.ts';

/** What a text of SQL would do. All lists are sorted and without repeats; none holds a literal of the text. */
export interface SqlFacts {
  readonly classes: readonly SqlClass[];
  /** Tables, views and other relations that are read or changed, as the text names them. */
  readonly targets: readonly string[];
  /** Functions and operators that are not known to be pure reads. */
  readonly functions: readonly string[];
  /** Statements at the top level. */
  readonly statements: number;
  /** Which of Update and Delete occur without a WHERE that chooses rows. */
  readonly unfiltered: readonly ('Update' | 'Delete')[];
  /** Whether something that is there is dropped: a table, a column, a database, what a role owns. */
  readonly drops: boolean;
}

export const UNPARSABLE: SqlFacts = {
  classes: ['Unparsable'],
  targets: [],
  functions: [],
  statements: 0,
  unfiltered: [],
  drops: false,
};

/** Collects facts while a tree is walked. */
export class FactCollector {
  readonly #classes = new Set<SqlClass>();
  readonly #targets = new Set<string>();
  readonly #functions = new Set<string>();
  readonly #unfiltered = new Set<'Update' | 'Delete'>();
  #statements = 0;
  #drops = false;

  add(...classes: readonly SqlClass[]): void {
    for (const name of classes) this.#classes.add(name);
  }

  target(name: string): void {
    this.#targets.add(name);
  }

  /** A function that is not known to be a pure read: what it does is only known to the database. */
  call(name: string): void {
    this.#functions.add(name);
    this.add('Call');
  }

  unfiltered(statement: 'Update' | 'Delete'): void {
    this.#unfiltered.add(statement);
  }

  drop(): void {
    this.#drops = true;
  }

  statement(): void {
    this.#statements += 1;
  }

  /** Takes in what a part of the text was found to do. `only` keeps some of its classes. */
  include(facts: SqlFacts, only?: readonly SqlClass[]): void {
    const kept = only === undefined ? facts.classes : facts.classes.filter((name) => only.includes(name));
    this.add(...kept);
    facts.targets.forEach((name) => this.#targets.add(name));
    facts.functions.forEach((name) => this.#functions.add(name));
    if (only !== undefined) return;
    facts.unfiltered.forEach((name) => this.#unfiltered.add(name));
    this.#drops ||= facts.drops;
  }

  facts(): SqlFacts {
    return {
      classes: [...this.#classes].sort(),
      targets: [...this.#targets].sort(),
      functions: [...this.#functions].sort(),
      statements: this.#statements,
      unfiltered: [...this.#unfiltered].sort(),
      drops: this.#drops,
    };
  }
}
