/** What was asked of the database and is not answered yet, in the order in which it answers. */
import type { Portal, Prepared } from './names.ts';
import type { Columns } from './rows/columns.ts';

/** A statement on its way, for the record. */
export interface Running {
  readonly sql: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export type Request =
  | {
      readonly kind: 'query';
      readonly running: Running;
      /** What the client gets for the database's own error, where the statement was refused here. */
      readonly refusal: Buffer | undefined;
      /** Of the result that is coming. */
      columns: Columns | undefined;
      failed: boolean;
    }
  | { readonly kind: 'parse'; readonly name: string; readonly prepared: Prepared }
  | { readonly kind: 'bind'; readonly name: string; readonly portal: Portal }
  | {
      readonly kind: 'describe';
      /** Undefined where a statement is described. */
      readonly portal: Portal | undefined;
      /** Asked for by the proxy itself: the client must not see the answer. */
      readonly own: boolean;
    }
  | { readonly kind: 'execute'; readonly portal: Portal; readonly running: Running }
  | { readonly kind: 'close'; readonly of: 'S' | 'P'; readonly name: string }
  | { readonly kind: 'refused'; readonly refusal: Buffer }
  | { readonly kind: 'copy-end' }
  | { readonly kind: 'sync' };

export class Requests {
  readonly #list: Request[] = [];

  get head(): Request | undefined {
    return this.#list[0];
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  get size(): number {
    return this.#list.length;
  }

  add(request: Request): void {
    // An end of COPY that nothing waits for is one that the database has given up on and ignores.
    if (request.kind === 'copy-end' && this.isEmpty) return;
    this.#list.push(request);
  }

  /** Takes off the head when it is of that kind. */
  answered<K extends Request['kind']>(kind: K): Extract<Request, { kind: K }> | undefined {
    const head = this.head;
    if (!isOf(head, kind)) return undefined;
    this.#list.shift();
    while (this.head?.kind === 'copy-end') this.#list.shift();
    return head;
  }

  /** An error ends everything up to the next Sync; what is dropped is given back. */
  fail(): Request[] {
    const end = this.#list.findIndex(({ kind }) => kind === 'sync' || kind === 'query');
    return this.#list.splice(0, end === -1 ? this.#list.length : end);
  }

  /** ReadyForQuery answers the head, or what an error has left up to the Sync. What was not answered is given back. */
  ready(): Request[] {
    const end = this.#list.findIndex(({ kind }) => kind === 'sync' || kind === 'query');
    const done = this.#list.splice(0, end + 1);
    while (this.head?.kind === 'copy-end') this.#list.shift();
    return done;
  }

  /**
   * The database takes COPY data now and ignores a Sync until its end, so those that it was sent already get no answer.
   * False where it was sent something else, which it takes for an error in the middle of COPY.
   */
  copyBegan(): boolean {
    const end = this.#list.findIndex(({ kind }) => kind === 'copy-end');
    const during = this.#list.splice(1, (end === -1 ? this.#list.length : end) - 1);
    return during.every(({ kind }) => kind === 'sync');
  }
}

function isOf<K extends Request['kind']>(
  request: Request | undefined,
  kind: K,
): request is Extract<Request, { kind: K }> {
  return request?.kind === kind;
}
