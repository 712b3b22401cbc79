/** RowDescription: what the columns of a result are. */
import { cstring, Fields, int16, int32, message } from '../messages.ts';

export interface Column {
  readonly name: string;
  /** OID of its type, the base type where it is a domain. */
  readonly type: number;
  /** 0 is text, 1 binary. */
  readonly format: number;
  /** A policy masks every value of it because of its name, so that the client is told that it is text. */
  readonly selected: boolean;
}

export interface Columns {
  readonly list: readonly Column[];
  /**
   * Columns in the order in which their values are looked at: those of a name that stands twice lie in groups of their
   * own, since an object has a name once.
   */
  readonly groups: readonly (readonly number[])[];
}

/** OID of text. */
export const TEXT = 25;

interface Field {
  readonly name: string;
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  readonly size: number;
  readonly modifier: number;
  readonly format: number;
}

/** Reads a whole RowDescription message. `isSelected` tells columns that are masked because of their name. */
export function readColumns(frame: Buffer, isSelected: (name: string) => boolean): Columns {
  const list = readFields(frame).map(({ name, type, format }) => ({
    name,
    type,
    format,
    selected: isSelected(name),
  }));
  return { list, groups: grouped(list.map(({ name }) => name)) };
}

/** The RowDescription as the client gets it. `shown` is a name as it may be shown. */
export function rewriteColumns(frame: Buffer, columns: Columns, shown: (name: string) => string): Buffer {
  const fields = readFields(frame);
  const isSame = fields.every(({ name }, at) => columns.list[at]?.selected !== true && shown(name) === name);
  if (isSame) return frame;
  const parts = fields.flatMap((field, at) => {
    const selected = columns.list[at]?.selected === true;
    return [
      cstring(shown(field.name)),
      int32(field.table),
      int16(field.attribute),
      int32(selected ? TEXT : field.type),
      int16(selected ? -1 : field.size),
      int32(selected ? -1 : field.modifier),
      int16(field.format),
    ];
  });
  return message('T', int16(fields.length), ...parts);
}

function readFields(frame: Buffer): Field[] {
  const fields = new Fields(frame, 5);
  const count = fields.int16();
  return Array.from({ length: count }, () => ({
    name: fields.text(),
    table: fields.int32(),
    attribute: fields.int16(),
    type: fields.int32(),
    size: fields.int16(),
    modifier: fields.int32(),
    format: fields.int16(),
  }));
}

function grouped(names: readonly string[]): number[][] {
  const groups: number[][] = [];
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const group = seen.get(name) ?? 0;
    seen.set(name, group + 1);
    (groups[group] ??= []).push(index);
  }
  return groups;
}
