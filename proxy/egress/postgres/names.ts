/** What the names of prepared statements and portals stand for, also while the database has not answered yet. */
import type { Columns } from './rows/columns.ts';

export interface Prepared {
  readonly sql: string;
  /** The Parse message, so that the statement can be prepared again in another session. */
  readonly message: Buffer;
}

export interface Portal {
  readonly prepared: Prepared | undefined;
  /** Its result, once the database has described it. */
  columns: Columns | undefined;
  /** Whether a description was asked for. */
  described: boolean;
}

/** The outcome of an earlier batch decides what the name stands for: whoever asks has to wait. */
export const UNSETTLED = Symbol('unsettled');

interface Pending<T> {
  readonly value: T | undefined;
  readonly batch: number;
}

/**
 * A name may be given anew before the database has answered. Within a batch (up to Sync) the last giving counts: if it
 * fails, the database skips everything behind it. Beyond the batch nobody knows before the answer.
 */
export class Names<T> {
  readonly #settled = new Map<string, T>();
  readonly #pending = new Map<string, Pending<T>>();

  get(name: string, batch: number): T | undefined | typeof UNSETTLED {
    const pending = this.#pending.get(name);
    if (pending === undefined) return this.#settled.get(name);
    return pending.batch === batch ? pending.value : UNSETTLED;
  }

  /** Gives a name; `undefined` takes it away. */
  give(name: string, value: T | undefined, batch: number): void {
    this.#pending.set(name, { value, batch });
  }

  /** The database has done so. */
  settle(name: string, value: T | undefined): void {
    if (value === undefined) this.#settled.delete(name);
    else this.#settled.set(name, value);
    if (this.#pending.get(name)?.value === value) this.#pending.delete(name);
  }

  /** The database has not done so. */
  unsettle(name: string, value: T | undefined): void {
    if (this.#pending.get(name)?.value === value) this.#pending.delete(name);
  }

  forget(name: string): void {
    this.#settled.delete(name);
  }

  clear(): void {
    this.#settled.clear();
  }

  get size(): number {
    return this.#settled.size;
  }

  entries(): IterableIterator<[string, T]> {
    return this.#settled.entries();
  }
}
