/** What one connection has said so far, as far as what comes next depends on it. */
import { Lru } from '../../../lib/lru.ts';
import type { ReadEffects, SessionEffects } from '../../engine/sql/postgres/session-effects.ts';
import { WireError } from './errors.ts';
import type { TransactionStatus } from './messages.ts';
import { Names, type Portal, type Prepared } from './names.ts';
import { Requests, type Request } from './requests.ts';

/** Beyond this a session is too much to be brought back in another one. */
const MAX_SETTINGS = 64;
const MAX_PREPARED = 4096;

export class Conversation {
  readonly requests = new Requests();
  readonly statements = new Names<Prepared>();
  readonly portals = new Names<Portal>();
  readonly #readEffects: ReadEffects;
  /** Texts that SQL's PREPARE has given to a name; which of them holds is the database's to know, so all are judged. */
  #sqlPrepared = new Map<string, Set<string>>();
  #settings: string[] = [];
  #leavesState = false;
  status: TransactionStatus = 'I';
  /** Counts what ends with Sync, and queries. */
  batch = 0;
  /** Messages of the extended protocol were taken, and no Sync behind them. */
  isOpen = false;
  /** The database waits for data of COPY. */
  isCopying = false;

  constructor(readEffects: ReadEffects) {
    this.#readEffects = readEffects;
  }

  /** Nothing is asked, and no transaction is open. */
  get isAtRest(): boolean {
    return this.requests.isEmpty && this.status === 'I' && !this.isOpen;
  }

  /** Whether another session can take this one's place without the client noticing. */
  get isPortable(): boolean {
    return !this.#leavesState && this.statements.size <= MAX_PREPARED;
  }

  /** Statements that set the settings of the session, in order. */
  get settings(): readonly string[] {
    return this.#settings;
  }

  effects(sql: string): SessionEffects {
    return this.#readEffects(sql);
  }

  /** A text goes to the database now. */
  sends({ prepares }: SessionEffects, sql: string): void {
    for (const name of prepares) {
      const texts = this.#sqlPrepared.get(name) ?? new Set();
      this.#sqlPrepared.set(name, texts.add(sql));
      if (texts.size > MAX_PREPARED || this.#sqlPrepared.size > MAX_PREPARED)
        throw new WireError('54000', 'This connection has prepared more statements than are kept track of.');
    }
  }

  sqlPrepared(name: string): Iterable<string> {
    return this.#sqlPrepared.get(name) ?? [];
  }

  /** A text has had its effect. */
  took(sql: string): void {
    const effects = this.#readEffects(sql);
    if (effects.resets) this.#reset();
    else if (effects.forgets === 'all') this.statements.clear();
    else effects.forgets.forEach((name) => this.statements.forget(name));
    if (effects.leavesState) this.#leavesState = true;
    if (effects.setsSettings) this.#set(sql);
  }

  settleParse(request: Extract<Request, { kind: 'parse' }> | undefined): void {
    if (request !== undefined) this.statements.settle(request.name, request.prepared);
  }

  settleBind(request: Extract<Request, { kind: 'bind' }> | undefined): void {
    if (request !== undefined) this.portals.settle(request.name, request.portal);
  }

  settleClose(request: Extract<Request, { kind: 'close' }> | undefined): void {
    if (request !== undefined) this.#names(request.of).settle(request.name, undefined);
  }

  /** The database has skipped the request. */
  unsettle(request: Request): void {
    if (request.kind === 'parse') this.statements.unsettle(request.name, request.prepared);
    else if (request.kind === 'bind') this.portals.unsettle(request.name, request.portal);
    else if (request.kind === 'close') this.#names(request.of).unsettle(request.name, undefined);
  }

  readyWith(status: TransactionStatus): void {
    this.status = status;
    // Portals live as long as their transaction.
    if (status === 'I') this.portals.clear();
  }

  #names(of: 'S' | 'P'): Names<Prepared> | Names<Portal> {
    return of === 'S' ? this.statements : this.portals;
  }

  /** What a transaction sets, it may take back. */
  #set(sql: string): void {
    if (this.status !== 'I' || this.#settings.length >= MAX_SETTINGS) this.#leavesState = true;
    else this.#settings = [...this.#settings.filter((one) => one !== sql), sql];
  }

  #reset(): void {
    this.statements.clear();
    this.#sqlPrepared = new Map();
    this.#settings = [];
    this.#leavesState = false;
  }
}

const MAX_CHARS = 2048;
const TEXTS = 4096;

/** Clients say the same few things over and over. */
export function remembered(read: ReadEffects): ReadEffects {
  const known = new Lru<string, SessionEffects>(TEXTS);
  return (sql) => {
    if (sql.length > MAX_CHARS) return read(sql);
    const effects = known.get(sql) ?? read(sql);
    known.set(sql, effects);
    return effects;
  };
}
