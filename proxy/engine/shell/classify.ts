/** What a command line would do: Read, Write, Destructive, Dynamic or Unparsable, from tables of programs. */
import type { CommandEffect, SqlClass } from '../../../crds/bundle.ts';
import { classifyKubectl } from '../kubernetes/kubectl.ts';
import { loadSql, type ClassifySql } from '../sql/classify.ts';
import { classifyClient } from './clients.ts';
import { classifyCloud } from './clouds.ts';
import {
  effect,
  EffectCollector,
  UNPARSABLE,
  type ClassifyCommand,
  type CommandFacts,
  type Finding,
  type Surroundings,
  type Word,
} from './facts.ts';
import { byOptions } from './options.ts';
import { alwaysEffects, destructiveFamilies, systemFolders } from './programs.ts';
import { walkScript } from './script.ts';
import { classifyByVerb } from './verbs.ts';
import { classifyWrapper } from './wrappers.ts';

export type { ClassifyCommand } from './facts.ts';

/** Text inside text that is run, as in `sh -c "sh -c …"`: deeper than this it is Dynamic. */
const MAX_DEPTH = 8;

export interface CommandEngines {
  readonly shell: ClassifyCommand;
  /** Takes a command with or without `kubectl` before it. */
  readonly kubectl: ClassifyCommand;
}

/** Loads what reads commands, the SQL inside them included. */
export async function loadCommands(): Promise<CommandEngines> {
  const sql = await loadSql(['PostgreSQL', 'MySQL', 'SQLite']);
  const shell: ClassifyCommand = (command) => classified(command, sql);
  return { shell, kubectl: (command) => shell(withKubectl(command)) };
}

function withKubectl(command: string | readonly string[]): string | readonly string[] {
  if (typeof command === 'string') return /^\s*kubectl(\s|$)/.test(command) ? command : `kubectl ${command}`;
  return command[0] === 'kubectl' ? command : ['kubectl', ...command];
}

function classified(command: string | readonly string[], sql: ClassifySql): CommandFacts {
  const found = new EffectCollector();
  const judge = new Judge(found, sql, 0);
  try {
    if (typeof command === 'string') judge.script(command);
    else if (command.length > 0) judge.command(command, undefined);
    return found.facts();
  } catch {
    // A tree that is deeper than the stack.
    return UNPARSABLE;
  }
}

type Classifier = (program: string, args: readonly Word[], surroundings: Surroundings) => Finding | undefined;

/** The first that knows a program judges it. */
const classifiers: readonly Classifier[] = [
  (program, args, surroundings) => (program === 'kubectl' ? classifyKubectl(args, surroundings) : undefined),
  (program, args, surroundings) =>
    Object.hasOwn(byOptions, program) ? byOptions[program]?.(args, surroundings) : undefined,
  classifyWrapper,
  classifyByVerb,
  classifyCloud,
  classifyClient,
];

class Judge {
  readonly #found: EffectCollector;
  readonly #sql: ClassifySql;
  readonly #depth: number;

  constructor(found: EffectCollector, sql: ClassifySql, depth: number) {
    this.#found = found;
    this.#sql = sql;
    this.#depth = depth;
  }

  script(text: string): void {
    if (text.includes('\0')) this.#found.add('Unparsable');
    else walkScript(text, { found: this.#found, command: (words, stdin) => this.command(words, stdin) });
  }

  command(words: readonly Word[], stdin: Surroundings['stdin']): void {
    const program = programOf(words[0]);
    const { effects, verb } =
      program === undefined ? effect('Dynamic') : this.#finding(program, words.slice(1), stdin);
    this.#found.add(...effects);
    if (program !== undefined) this.#found.target(verb === undefined ? program : `${program} ${verb}`);
  }

  #finding(program: string, args: readonly Word[], stdin: Surroundings['stdin']): Finding {
    const surroundings = this.#surroundings(stdin);
    if (alwaysEffects.has(program) && args.length === 1 && ASKS.has(args[0] ?? '')) return effect('Read');
    for (const classify of classifiers) {
      const finding = classify(program, args, surroundings);
      if (finding !== undefined) return finding;
    }
    return effect(simpleEffect(program, args));
  }

  /** What is found inside is found of the whole; it is judged one level deeper. */
  #surroundings(stdin: Surroundings['stdin']): Surroundings {
    const inner = new Judge(this.#found, this.#sql, this.#depth + 1);
    const deeper = (judge: () => void): Finding => {
      if (this.#depth >= MAX_DEPTH) return effect('Dynamic');
      judge();
      return effect();
    };
    return {
      stdin,
      script: (text) => deeper(() => inner.script(text)),
      command: (words) => deeper(() => inner.command(words, stdin)),
      sql: (text, dialect) => effect(...effectsOfSql(this.#sql(text, dialect).classes)),
    };
  }
}

/** Words that make any program that is known tell about itself. */
const ASKS = new Set(['--help', '--version']);

/** The program's name where its path says which program it is. */
function programOf(word: Word): string | undefined {
  if (word === undefined || word === '') return undefined;
  const slash = word.lastIndexOf('/');
  if (slash === -1) return word;
  return systemFolders.has(word.slice(0, slash)) ? word.slice(slash + 1) : undefined;
}

function simpleEffect(program: string, args: readonly Word[]): CommandEffect {
  if (destructiveFamilies.test(program)) return 'Destructive';
  const found = alwaysEffects.get(program) ?? 'Dynamic';
  return found === 'Write' && args.some(isDevice) ? 'Destructive' : found;
}

/** What is written to a disk takes away what was on it. */
function isDevice(word: Word): boolean {
  return /^\/dev\/(?!null$|stdout$|stderr$|stdin$|tty$|fd\/)/.test(word ?? '');
}

const SQL_EFFECTS: Readonly<Record<SqlClass, CommandEffect>> = {
  Insert: 'Write',
  Session: 'Write',
  Copy: 'Write',
  Update: 'Destructive',
  Delete: 'Destructive',
  Merge: 'Destructive',
  Truncate: 'Destructive',
  DDL: 'Destructive',
  Grant: 'Destructive',
  Call: 'Dynamic',
  Unparsable: 'Unparsable',
};

function effectsOfSql(classes: readonly SqlClass[]): CommandEffect[] {
  return classes.length === 0 ? ['Read'] : classes.map((name) => SQL_EFFECTS[name]);
}
