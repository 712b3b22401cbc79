declare module 'libpg-query/wasm/libpg-query.js' {
  /** One instance of PostgreSQL's parser, with a memory of its own. */
  export interface PgQueryInstance {
    readonly HEAPU8: Uint8Array;
    lengthBytesUTF8(text: string): number;
    stringToUTF8(text: string, pointer: number, bytes: number): void;
    UTF8ToString(pointer: number): string;
    getValue(pointer: number, type: 'i32'): number;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    _wasm_parse_query_raw(text: number): number;
    _wasm_free_parse_result(result: number): void;
    _wasm_parse_plpgsql(text: number): number;
    _wasm_free_string(text: number): void;
  }
  export default function createInstance(): Promise<PgQueryInstance>;
}
