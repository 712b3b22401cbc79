/** Descriptors as a walk over the wire needs them. */
import { ScalarType, type DescEnum, type DescField, type DescMessage } from '@bufbuild/protobuf';

/** The wire types of numbers: varint, eight bytes, four bytes. */
export type NumberWire = 0 | 1 | 5;

export type FieldType =
  | { readonly kind: 'string' }
  | { readonly kind: 'bytes' }
  | {
      readonly kind: 'number';
      readonly wire: NumberWire;
      readonly scalar: ScalarType;
      /** What stands for a value that may not be seen: 0, or the first value of an enumeration. */
      readonly neutral: number;
    }
  | { readonly kind: 'message'; readonly shape: MessageShape; readonly isGroup: boolean };

export interface Field {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  readonly type: FieldType;
}

export interface MessageShape {
  readonly typeName: string;
  /** An entry of a map: its fields are called like the map itself. */
  readonly isEntry: boolean;
  readonly fields: ReadonlyMap<number, Field>;
}

const SHAPES = new WeakMap<DescMessage, MessageShape>();

/** The shape of a message. Messages may hold themselves, so fields are found when they are asked for. */
export function shapeOf(message: DescMessage): MessageShape {
  const known = SHAPES.get(message);
  if (known !== undefined) return known;
  const fields = new Map<number, Field>();
  const shape = { typeName: message.typeName, isEntry: false, fields };
  SHAPES.set(message, shape);
  for (const field of message.fields) fields.set(field.number, fieldOf(field));
  return shape;
}

function fieldOf(field: DescField): Field {
  const { number, name, jsonName } = field;
  return { number, name, jsonName, type: field.fieldKind === 'map' ? entryOf(field) : typeOf(field) };
}

function entryOf(field: DescField & { fieldKind: 'map' }): FieldType {
  const { name, jsonName, mapKey, parent } = field;
  const key: Field = { number: 1, name, jsonName, type: scalarOf(mapKey) };
  const value: Field = { number: 2, name, jsonName, type: valueOf(field, false) };
  const fields = new Map([key, value].map((one) => [one.number, one]));
  return {
    kind: 'message',
    isGroup: false,
    shape: { typeName: `${parent.typeName}.${name}`, isEntry: true, fields },
  };
}

function typeOf(field: DescField): FieldType {
  return valueOf(field, 'delimitedEncoding' in field && field.delimitedEncoding);
}

function valueOf(field: DescField, isGroup: boolean): FieldType {
  if (field.message !== undefined) return { kind: 'message', shape: shapeOf(field.message), isGroup };
  if (field.enum !== undefined) return enumOf(field.enum);
  return scalarOf(field.scalar);
}

function enumOf({ values }: DescEnum): FieldType {
  return { kind: 'number', wire: 0, scalar: ScalarType.INT32, neutral: values[0]?.number ?? 0 };
}

const EIGHT_BYTES = new Set([ScalarType.DOUBLE, ScalarType.FIXED64, ScalarType.SFIXED64]);
const FOUR_BYTES = new Set([ScalarType.FLOAT, ScalarType.FIXED32, ScalarType.SFIXED32]);

function scalarOf(scalar: ScalarType): FieldType {
  if (scalar === ScalarType.STRING) return { kind: 'string' };
  if (scalar === ScalarType.BYTES) return { kind: 'bytes' };
  const wire = EIGHT_BYTES.has(scalar) ? 1 : FOUR_BYTES.has(scalar) ? 5 : 0;
  return { kind: 'number', wire, scalar, neutral: 0 };
}
