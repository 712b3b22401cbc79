import { GatehouseError } from '../errors.ts';

export type JsonTextErrorCode = 'json_invalid' | 'json_duplicate_key' | 'json_too_deep' | 'json_not_utf8';

/** Text that is not the JSON Gatehouse accepts. The sentence says where; it never quotes the text. */
export class JsonTextError extends GatehouseError {
  readonly code: JsonTextErrorCode;
  /** How far the text was read, in UTF-16 units; 0 where none was. */
  readonly offset: number;

  constructor(code: JsonTextErrorCode, message: string, offset = 0) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/** `line 3, column 14`, both from 1, columns in UTF-16 units. */
export function placeOf(text: string, offset: number): string {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return `line ${line}, column ${offset - lineStart + 1}`;
}
