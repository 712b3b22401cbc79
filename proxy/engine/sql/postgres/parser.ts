/**
 * PostgreSQL's own parser in WebAssembly, in instances that are replaced when one is damaged. A text nested deeply
 * enough overflows the stack in the middle of the parser; that leaks the instance's stack and memory until it reads
 * out of bounds. The package's own wrapper keeps one instance for ever, so this one takes its place.
 */
import type { PgQueryInstance } from 'libpg-query/wasm/libpg-query.js';

export type ParseOutcome = { readonly ok: true; readonly tree: unknown } | { readonly ok: false };

export const FAILED: ParseOutcome = { ok: false };
/** Memory of an instance begins at 128 MiB, mostly untouched, and only grows; a long statement makes a tree of many times its size. */
const MAX_MEMORY = 192 * 1024 * 1024;

let shared: Promise<PgParser> | undefined;

/** The parser that everything in the process shares: each instance is 128 MiB of address space. */
export function sharedPgParser(): Promise<PgParser> {
  shared ??= PgParser.load();
  return shared;
}

export class PgParser {
  readonly #create: () => Promise<PgQueryInstance>;
  #current: PgQueryInstance | undefined;
  #spare: PgQueryInstance | undefined;
  #renewing: Promise<void> | undefined;

  private constructor(create: () => Promise<PgQueryInstance>) {
    this.#create = create;
  }

  static async load(): Promise<PgParser> {
    const { default: create } = await import('libpg-query/wasm/libpg-query.js');
    const parser = new PgParser(create);
    parser.#current = await create();
    return parser;
  }

  /** Statements of a text of SQL; not ok where PostgreSQL's grammar refuses it. */
  parse(sql: string): ParseOutcome {
    return this.#with(sql, (instance, text) => {
      const result = instance._wasm_parse_query_raw(text);
      // PgQueryParseResult: char *parse_tree, char *stderr_buffer, PgQueryError *error.
      const tree = instance.getValue(result, 'i32');
      const failed = instance.getValue(result + 8, 'i32') !== 0 || tree === 0;
      const json = failed ? undefined : instance.UTF8ToString(tree);
      instance._wasm_free_parse_result(result);
      return json;
    });
  }

  /** The functions of a DO or CREATE FUNCTION statement in PL/pgSQL. */
  parsePlPgSql(statement: string): ParseOutcome {
    return this.#with(statement, (instance, text) => {
      const result = instance._wasm_parse_plpgsql(text);
      const json = instance.UTF8ToString(result);
      instance._wasm_free_string(result);
      return json.startsWith('{') ? json : undefined;
    });
  }

  /** Resolves once a damaged instance has been replaced. */
  async renewed(): Promise<void> {
    await this.#renewing;
  }

  #with(text: string, use: (instance: PgQueryInstance, pointer: number) => string | undefined): ParseOutcome {
    const instance = this.#current;
    if (instance === undefined) return FAILED;
    try {
      const bytes = instance.lengthBytesUTF8(text) + 1;
      const pointer = instance._malloc(bytes);
      instance.stringToUTF8(text, pointer, bytes);
      const json = use(instance, pointer);
      instance._free(pointer);
      if (instance.HEAPU8.byteLength > MAX_MEMORY) this.#replace();
      return json === undefined ? FAILED : { ok: true, tree: JSON.parse(json) };
    } catch {
      this.#replace();
      return FAILED;
    }
  }

  /** Until a new instance is there, every text is one that cannot be parsed: closed, for milliseconds. */
  #replace(): void {
    this.#current = this.#spare;
    this.#spare = undefined;
    this.#startRenewal();
  }

  #startRenewal(): void {
    this.#renewing ??= this.#renew();
  }

  async #renew(): Promise<void> {
    try {
      this.#current ??= await this.#create();
      this.#spare ??= await this.#create();
    } catch {
      // Without memory for a new instance nothing is parsed, and the next text tries again.
    } finally {
      this.#renewing = undefined;
      if (this.#current === undefined) setTimeout(() => this.#startRenewal(), 1000).unref();
    }
  }
}
