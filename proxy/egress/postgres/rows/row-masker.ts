/** Masks rows: many at a time, since most hold nothing that must not leave and then go on as they came. */
import { scanJson, tokenValue } from '../../../../lib/json/index.ts';
import type { MaskAbout, Masker } from '../../../engine/mask/index.ts';
import { WireError } from '../errors.ts';
import { Fields, int16, int32, message } from '../messages.ts';
import { TEXT, type Column, type Columns } from './columns.ts';
import { textOf, valueOf } from './types.ts';

type Cell = Buffer | undefined;

/**
 * DataRow messages, one behind the other, as they may leave; `run` itself where nothing in them is masked. Rows are
 * looked at as the result of a tool would be, so that policies by column, key, path and detector mean the same.
 * Throws WireError where a row must not leave and nothing can stand for it.
 */
export function maskRows(run: Buffer, columns: Columns, masker: Masker, about: MaskAbout): Buffer {
  const rows = readRows(run);
  const document = new Document(rows, columns);
  const outcome = masker.message(document.text, about);
  if (outcome.kind === 'withheld') throw new WireError('42501', outcome.reason);
  const hasSelected = columns.list.some(({ selected }) => selected);
  if (outcome.text === document.text && !hasSelected) return run;
  const changes = document.changes(outcome.text);
  return Buffer.concat(
    rows.map((row, at) => writeRow(row, columns, changes[at] ?? new Map<number, string>())),
  );
}

function readRows(run: Buffer): Cell[][] {
  const rows: Cell[][] = [];
  for (let at = 0; at < run.length;) {
    const length = run.readUInt32BE(at + 1) + 1;
    const fields = new Fields(run.subarray(at, at + length), 5);
    const count = fields.int16();
    rows.push(
      Array.from({ length: count }, () => {
        const size = fields.int32();
        return size < 0 ? undefined : fields.bytes(size);
      }),
    );
    at += length;
  }
  return rows;
}

/** Rows as the structured result of a tool, and where in it each cell stands. */
class Document {
  readonly text: string;
  /** Row and column of every string in the text, in order. */
  readonly #places: (readonly [row: number, column: number])[] = [];
  readonly #texts: string[] = [];

  constructor(rows: readonly (readonly Cell[])[], columns: Columns) {
    const keys = columns.list.map(({ name }) => `${JSON.stringify(name)}:`);
    const objects: string[] = [];
    for (const [row, cells] of rows.entries()) {
      for (const group of columns.groups)
        objects.push(
          `{${group.map((column) => this.#member(row, column, { cells, columns, keys })).join(',')}}`,
        );
    }
    this.text = `{"result":{"structuredContent":{"rows":[${objects.join(',')}]}}}`;
  }

  #member(
    row: number,
    column: number,
    { cells, columns, keys }: { cells: readonly Cell[]; columns: Columns; keys: readonly string[] },
  ): string {
    const key = keys[column] ?? '"":';
    const cell = cells[column];
    const about = columns.list[column];
    const text = cell === undefined || about === undefined ? undefined : cellText(about, cell);
    if (text === undefined) return `${key}null`;
    this.#places.push([row, column]);
    this.#texts.push(text);
    return key + JSON.stringify(text);
  }

  /** For each row, the columns whose text the mask changed. */
  changes(masked: string): (Map<number, string> | undefined)[] {
    const changes: (Map<number, string> | undefined)[] = [];
    let at = 0;
    const none = (): void => undefined;
    scanJson(masked, {
      openObject: none,
      openArray: none,
      closeObject: none,
      closeArray: none,
      key: none,
      number: none,
      literal: none,
      string: (start, end, plain) => {
        const text = tokenValue(masked, start, end, plain);
        const place = this.#places[at];
        if (place !== undefined && text !== this.#texts[at])
          (changes[place[0]] ??= new Map()).set(place[1], text);
        at += 1;
      },
    });
    return changes;
  }
}

function cellText(column: Column, cell: Buffer): string | undefined {
  try {
    return textOf(column.type, column.format, cell);
  } catch (error) {
    // The mask takes the place of the whole value, so that its bytes are all that matters.
    if (column.selected) return cell.toString('hex');
    throw about(column, error);
  }
}

function writeRow(row: readonly Cell[], columns: Columns, changes: ReadonlyMap<number, string>): Buffer {
  const parts = row.map((cell, at) => {
    const column = columns.list[at];
    if (cell === undefined || column === undefined) return int32(-1);
    const value = writeCell(column, cell, changes.get(at));
    return Buffer.concat([int32(value.length), value]);
  });
  return message('D', int16(row.length), ...parts);
}

function writeCell(column: Column, cell: Buffer, changed: string | undefined): Buffer {
  if (column.selected) return valueOf(TEXT, column.format, changed ?? '[REDACTED]');
  if (changed === undefined) return cell;
  try {
    return valueOf(column.type, column.format, changed);
  } catch (error) {
    throw about(column, error);
  }
}

function about(column: Column, error: unknown): unknown {
  if (!(error instanceof WireError)) return error;
  const name = column.name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}').slice(0, 64);
  return new WireError(
    error.sqlstate,
    `The result holds a value that may not leave, in the column "${name}": ${error.message}.`,
    { cause: error },
  );
}
