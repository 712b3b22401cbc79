import { ScalarType } from '@bufbuild/protobuf';
import type { FieldType } from './shape.ts';
import { VARINT, writeVarint, type WireReader } from './wire.ts';

type NumberType = FieldType & { readonly kind: 'number' };

/** Reads a number and writes it as people do. */
export function numberText(reader: WireReader, { wire, scalar }: NumberType): string {
  if (wire === VARINT) return varintText(reader.varint(), scalar);
  const bytes = reader.take(wire === 1 ? 8 : 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (scalar) {
    case ScalarType.DOUBLE:
      return String(view.getFloat64(0, true));
    case ScalarType.FLOAT:
      return String(view.getFloat32(0, true));
    case ScalarType.SFIXED64:
      return String(view.getBigInt64(0, true));
    case ScalarType.SFIXED32:
      return String(view.getInt32(0, true));
    default:
      return wire === 1 ? String(view.getBigUint64(0, true)) : String(view.getUint32(0, true));
  }
}

function varintText(value: bigint, scalar: ScalarType): string {
  switch (scalar) {
    case ScalarType.SINT32:
    case ScalarType.SINT64:
      return String((value >> 1n) ^ -(value & 1n));
    case ScalarType.UINT32:
    case ScalarType.UINT64:
      return String(value);
    default:
      return String(BigInt.asIntN(64, value));
  }
}

/** What stands for a number that may not be seen. */
export function writeNumber({ wire, neutral }: NumberType): Uint8Array {
  return wire === VARINT ? writeVarint(BigInt(neutral)) : new Uint8Array(wire === 1 ? 8 : 4);
}
