import type { CommandEffect } from '../../../crds/bundle.ts';

/** What a command would do. Both lists are sorted and without repeats. */
export interface CommandFacts {
  readonly effects: readonly CommandEffect[];
  /** Programs, with their verb where one decides; no argument beyond it. */
  readonly targets: readonly string[];
}

/** A line of shell, or the words of one command. Never throws: what it cannot read is Unparsable. */
export type ClassifyCommand = (command: string | readonly string[]) => CommandFacts;

export const UNPARSABLE: CommandFacts = { effects: ['Unparsable'], targets: [] };

/** A word of a command; undefined where it is not known until run time. */
export type Word = string | undefined;

/** What a program does with its arguments. */
export interface Finding {
  readonly effects: readonly CommandEffect[];
  /** The verb, or what else says which of the program's many uses this is. */
  readonly verb?: string;
}

export const effect = (...effects: readonly CommandEffect[]): Finding => ({ effects });

/** What a command is judged with beyond its words. */
export interface Surroundings {
  /** Text that is its standard input; `unknown` where something comes but cannot be known. */
  readonly stdin: { readonly text: string } | 'unknown' | undefined;
  /** Judges text as shell, one level deeper. */
  readonly script: (text: string) => Finding;
  /** Judges a command, with words of its own. */
  readonly command: (words: readonly Word[]) => Finding;
  /** Judges SQL that a client of a database would run. */
  readonly sql: (text: string, dialect: 'PostgreSQL' | 'MySQL' | 'SQLite') => Finding;
}

export class EffectCollector {
  readonly #effects = new Set<CommandEffect>();
  readonly #targets = new Set<string>();

  add(...effects: readonly CommandEffect[]): void {
    for (const name of effects) this.#effects.add(name);
  }

  target(name: string): void {
    this.#targets.add(name);
  }

  facts(): CommandFacts {
    return { effects: [...this.#effects].sort(), targets: [...this.#targets].sort() };
  }
}
