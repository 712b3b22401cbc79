/**
 * What statements of PostgreSQL do to the session they run in, beyond the data: who it acts as, how its texts are
 * read, what stays in it for later statements, and which prepared statements they speak of.
 */
import { childOf, isTree, listOf, textOf, type Tree } from '../tree.ts';
import { impureFunction } from './functions.ts';
import { sharedPgParser, type PgParser } from './parser.ts';

export interface SessionEffects {
  /** Why the text must not reach the database, whatever the rules say: one sentence. */
  readonly refused: string | undefined;
  /** It only ends the transaction, and leaves none open. */
  readonly endsTransaction: boolean;
  /** It only sets settings for the rest of the session, so that saying it again has the same effect. */
  readonly setsSettings: boolean;
  /** It leaves something in the session that saying it again would not bring back for certain. */
  readonly leavesState: boolean;
  /** Names that PREPARE gives. */
  readonly prepares: readonly string[];
  /** Names that EXECUTE runs. */
  readonly executes: readonly string[];
  /** Names that DEALLOCATE forgets; `'all'` for all of them. */
  readonly forgets: readonly string[] | 'all';
  /** It is DISCARD ALL, which leaves a session as it began. */
  readonly resets: boolean;
}

export type ReadEffects = (sql: string) => SessionEffects;

/** Characters beyond which a text is not parsed, as for rules. */
const MAX_LENGTH = 128 * 1024;

/** Loads PostgreSQL's parser; what it gives never throws. */
export async function loadSessionEffects(): Promise<ReadEffects> {
  const parser = await sharedPgParser();
  return (sql) => effectsOf(sql, parser);
}

function effectsOf(sql: string, parser: PgParser): SessionEffects {
  if (sql.trim() === '') return NOTHING;
  const outcome = sql.length > MAX_LENGTH || sql.includes('\0') ? undefined : parser.parse(sql);
  if (outcome?.ok !== true || !isTree(outcome.tree)) return unread(sql);
  try {
    return new Walk(outcome.tree).effects();
  } catch {
    // A tree can be deeper than the stack.
    return unread(sql);
  }
}

const NOTHING: SessionEffects = {
  refused: undefined,
  endsTransaction: false,
  setsSettings: false,
  leavesState: false,
  prepares: [],
  executes: [],
  forgets: [],
  resets: false,
};

/** Settings that decide who acts, or how the text of statements is read. */
const GUARDED = new Map<string, (value: string) => boolean>([
  ['role', (value) => value === 'none'],
  ['session_authorization', () => false],
  ['client_encoding', (value) => ['utf8', 'unicode'].includes(value.replaceAll(/[^a-z0-9]/g, ''))],
  ['standard_conforming_strings', (value) => ['on', 'true', 'yes', '1'].includes(value)],
]);

const GUARDED_WORDS =
  /\bset\s+(?:session\s+|local\s+)?role\b|session\s*_?authorization|\bset_config\b|client_encoding|set\s+names|standard_conforming_strings|pg_settings/i;

const CHANGES_ROLE =
  'The gateway decides on the role, so changes of role, session user, client_encoding and standard_conforming_strings are refused.';
const UNREAD =
  'The statement cannot be read by PostgreSQL’s grammar (or is too long for it) and speaks of settings that must not change.';

/** A text that is not understood passes only where nothing in it could change what is guarded. */
function unread(sql: string): SessionEffects {
  const suspicious = GUARDED_WORDS.test(sql) || (/\bset\b/i.test(sql) && /\brole\b|u&/i.test(sql));
  return { ...NOTHING, leavesState: true, refused: suspicious ? UNREAD : undefined };
}

class Walk {
  #refused: string | undefined;
  #leavesState = false;
  readonly #prepares: string[] = [];
  readonly #executes: string[] = [];
  readonly #forgets: string[] = [];
  #forgetsAll = false;
  readonly #statements: readonly Tree[];

  constructor(tree: Tree) {
    this.#statements = listOf(tree, 'stmts')
      .filter(isTree)
      .map((statement) => childOf(statement, 'stmt'));
    for (const statement of this.#statements) this.#visit(statement);
  }

  effects(): SessionEffects {
    const setsSettings = this.#all(isLastingSet);
    return {
      refused: this.#refused,
      endsTransaction: this.#all(endsTransaction),
      setsSettings,
      leavesState: this.#leavesState && !setsSettings,
      prepares: this.#prepares,
      executes: this.#executes,
      forgets: this.#forgetsAll ? 'all' : this.#forgets,
      resets: this.#all((statement) => childOf(statement, 'DiscardStmt')['target'] === 'DISCARD_ALL'),
    };
  }

  #all(test: (statement: Tree) => boolean): boolean {
    return this.#statements.length > 0 && this.#statements.every(test);
  }

  #visit(value: unknown): void {
    if (Array.isArray(value)) value.forEach((item) => this.#visit(item));
    else if (isTree(value)) {
      if (value['relpersistence'] === 't' || value['schemaname'] === 'pg_temp') this.#leavesState = true;
      for (const [key, child] of Object.entries(value)) {
        if (isTree(child)) this.#node(key, child);
        this.#visit(child);
      }
    }
  }

  #node(type: string, node: Tree): void {
    if (STATEFUL.has(type)) this.#leavesState = true;
    this.#readers[type]?.(node);
  }

  /** What is read of nodes by their type. */
  readonly #readers: Readonly<Partial<Record<string, (node: Tree) => void>>> = {
    VariableSetStmt: (node) => this.#set(node),
    setstmt: (node) => this.#set(node),
    PrepareStmt: (node) => void this.#prepares.push(nameOf(node)),
    ExecuteStmt: (node) => void this.#executes.push(nameOf(node)),
    DeallocateStmt: (node) => this.#forget(node['isall'] === true ? undefined : nameOf(node)),
    DiscardStmt: (node) => {
      if (node['target'] === 'DISCARD_ALL') this.#forget(undefined);
    },
    FuncCall: (node) => this.#call(node),
    DeclareCursorStmt: (node) => {
      if ((Number(node['options']) & WITH_HOLD) !== 0) this.#leavesState = true;
    },
    UpdateStmt: (node) => this.#change(node),
    MergeStmt: (node) => this.#change(node),
    DoStmt: (node) => {
      if (GUARDED_WORDS.test(JSON.stringify(node))) this.#refused = CHANGES_ROLE;
    },
  };

  #set(node: Tree): void {
    if (node['is_local'] !== true) this.#leavesState = true;
    const allowed = GUARDED.get((textOf(node, 'name') ?? '').toLowerCase());
    const kind = textOf(node, 'kind');
    if (allowed === undefined || (kind !== 'VAR_SET_VALUE' && kind !== 'VAR_SET_CURRENT')) return;
    const value = constantText(listOf(node, 'args')[0]);
    if (value === undefined || !allowed(value.toLowerCase())) this.#refused = CHANGES_ROLE;
  }

  /** set_config takes any expression for the name of the setting; only a plain one can be judged. */
  #call(node: Tree): void {
    const path = listOf(node, 'funcname')
      .filter(isTree)
      .map((part) => textOf(childOf(part, 'String'), 'sval') ?? '');
    if (impureFunction(path) !== undefined && !LEAVES_NOTHING.has(path.at(-1) ?? ''))
      this.#leavesState = true;
    if (path.at(-1)?.toLowerCase() !== 'set_config') return;
    const [name, value] = listOf(node, 'args').map(constantText);
    const allowed = name === undefined ? () => false : GUARDED.get(name.toLowerCase());
    if (allowed !== undefined && !allowed((value ?? '').toLowerCase())) this.#refused = CHANGES_ROLE;
  }

  /** The view pg_settings sets what is written to it. */
  #change(node: Tree): void {
    if (textOf(childOf(node, 'relation'), 'relname') === 'pg_settings') this.#refused = CHANGES_ROLE;
  }

  #forget(name: string | undefined): void {
    if (name === undefined) this.#forgetsAll = true;
    else this.#forgets.push(name);
  }
}

/** CURSOR_OPT_HOLD of parsenodes.h. */
const WITH_HOLD = 0x20;
/** Of the functions that are no pure reads, those that leave nothing in the session. */
const LEAVES_NOTHING = new Set(
  'pg_sleep pg_sleep_for pg_sleep_until pg_notify pg_cancel_backend pg_terminate_backend query_to_xml table_to_xml'.split(
    ' ',
  ),
);
const STATEFUL = new Set(['PrepareStmt', 'ListenStmt', 'LoadStmt', 'DoStmt', 'CallStmt']);

function isLastingSet(statement: Tree): boolean {
  const node = childOf(statement, 'VariableSetStmt');
  return textOf(node, 'kind') !== undefined && node['is_local'] !== true && node['name'] !== 'TRANSACTION';
}

const ENDS = new Set(['TRANS_STMT_COMMIT', 'TRANS_STMT_ROLLBACK']);

function endsTransaction(statement: Tree): boolean {
  const node = childOf(statement, 'TransactionStmt');
  return ENDS.has(textOf(node, 'kind') ?? '') && node['chain'] !== true;
}

function nameOf(node: Tree): string {
  return textOf(node, 'name') ?? '';
}

function constantText(value: unknown): string | undefined {
  if (!isTree(value)) return undefined;
  const constant = childOf(value, 'A_Const');
  const ival = childOf(constant, 'ival')['ival'];
  return textOf(childOf(constant, 'sval'), 'sval') ?? (typeof ival === 'number' ? String(ival) : undefined);
}
