/** What a scan of a JSON text tells, and of which places. */

/** Half-open range of UTF-16 offsets. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Told what a scan comes by, in the order of the text. Offsets are of the token, quotes included; `plain` says
 * that a string holds no escape, so that the text between its quotes is its value.
 */
export interface JsonVisitor {
  openObject(start: number): void;
  openArray(start: number): void;
  /** `start` is the offset of the opening bracket, `end` the one behind the closing bracket. */
  closeObject(start: number, end: number): void;
  closeArray(start: number, end: number): void;
  key(start: number, end: number, plain: boolean): void;
  string(start: number, end: number, plain: boolean): void;
  number(start: number, end: number): void;
  /** `true`, `false` or `null`. */
  literal(start: number, end: number): void;
}

const nothing = (): void => undefined;

/** Hears of nothing, where only whether it is JSON is asked. */
export const NOBODY: JsonVisitor = {
  openObject: nothing,
  openArray: nothing,
  closeObject: nothing,
  closeArray: nothing,
  key: nothing,
  string: nothing,
  number: nothing,
  literal: nothing,
};
