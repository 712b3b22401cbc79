/** Reads the arguments that rules name, each once for a call, however many rules look at it. */
import type { CommandEffect, RuleMatch, SqlClass } from '../../crds/bundle.ts';
import { UNPARSABLE as UNREADABLE_COMMAND, type ClassifyCommand } from '../engine/shell/facts.ts';
import { UNPARSABLE, type ClassifySql } from '../engine/sql/classify.ts';
import { commandRisk, sqlRisk, type RiskPart } from './risk.ts';

/** What one argument was parsed to do. */
export interface Finding {
  readonly classes: readonly (SqlClass | CommandEffect)[];
  readonly targets: readonly string[];
  readonly risk: readonly RiskPart[];
}

export interface Engines {
  readonly sql: ClassifySql;
  readonly shell: ClassifyCommand;
  readonly kubectl: ClassifyCommand;
}

/** A language, with its dialect, and the argument that holds it. */
export interface Source {
  readonly key: string;
  read(given: unknown): Finding;
}

export interface Sources {
  readonly sql: Source | undefined;
  readonly shell: Source | undefined;
  readonly kubectl: Source | undefined;
}

export function sourcesOf({ sql, shell, kubectl }: RuleMatch, engines: Engines): Sources {
  return {
    sql: sql && {
      key: `sql ${sql.dialect} ${sql.argument}`,
      read: (given) => {
        const text = argumentOf(given, sql.argument);
        const facts = typeof text === 'string' ? engines.sql(text, sql.dialect) : UNPARSABLE;
        return {
          classes: facts.classes,
          targets: [...facts.targets, ...facts.functions],
          risk: sqlRisk(facts),
        };
      },
    },
    shell: shell && commandSource('shell', shell.argument, engines.shell),
    kubectl: kubectl && commandSource('kubectl', kubectl.argument, engines.kubectl),
  };
}

function commandSource(language: string, argument: string, classify: ClassifyCommand): Source {
  return {
    key: `${language} ${argument}`,
    read: (given) => {
      const command = argumentOf(given, argument);
      const { effects, targets } = isCommand(command) ? classify(command) : UNREADABLE_COMMAND;
      return { classes: effects, targets, risk: commandRisk(effects) };
    },
  };
}

function isCommand(value: unknown): value is string | string[] {
  return (
    typeof value === 'string' || (Array.isArray(value) && value.every((word) => typeof word === 'string'))
  );
}

/** An own member of the arguments; whatever else they are, there is none. */
function argumentOf(given: unknown, name: string): unknown {
  if (typeof given !== 'object' || given === null || !Object.hasOwn(given, name)) return undefined;
  const value: unknown = Reflect.get(given, name);
  return value;
}

/** Of one call. */
export class Inspection {
  readonly #arguments: unknown;
  readonly #findings = new Map<string, Finding>();

  constructor(given: unknown) {
    this.#arguments = given;
  }

  find(source: Source): Finding {
    const known = this.#findings.get(source.key);
    if (known !== undefined) return known;
    const finding = source.read(this.#arguments);
    this.#findings.set(source.key, finding);
    return finding;
  }

  all(): readonly Finding[] {
    return [...this.#findings.values()];
  }
}
