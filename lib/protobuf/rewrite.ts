/** Rewrites values of a message in its bytes: whatever is not rewritten, unknown fields included, stays as it came. */
import { isUtf8 } from 'node:buffer';
import { ProtobufError } from './error.ts';
import { numberText, writeNumber } from './numbers.ts';
import type { Field, FieldType, MessageShape } from './shape.ts';
import { concat, GROUP_BEGIN, LENGTH_DELIMITED, WireReader, writeDelimited, type Tag } from './wire.ts';

/** Says what becomes of values. `C` is what is known of the place that a value stands at. */
export interface Rewriting<C> {
  /** Told of every message, with its size in bytes; may throw to end the work. */
  message(bytes: number): void;
  /** What is known of a field of the message that `outer` is known of. */
  enter(outer: C, field: Field, shape: MessageShape): C;
  /** What to put in the place of a value; undefined leaves it. */
  string(text: string, at: C): string | undefined;
  bytes(value: Uint8Array, at: C): Uint8Array | undefined;
  /** Whether a number is to be made neutral; it comes as decimal text. */
  number(text: string, at: C): boolean;
  /** Whether fields that the descriptor does not know are taken out. */
  dropsUnknown(at: C): boolean;
}

/** protobuf's own limit of how deep messages may lie in one another. */
const MAX_DEPTH = 100;

/** The message with its values rewritten; the very same bytes where none was. Throws ProtobufError for what is none. */
export function rewriteMessage<C>(
  bytes: Uint8Array,
  shape: MessageShape,
  at: C,
  rewriting: Rewriting<C>,
): Uint8Array {
  return new Rewriter(rewriting).message(bytes, shape, at, 0);
}

/** Each message of a stream in which each follows its own length. */
export function rewriteStream<C>(
  bytes: Uint8Array,
  shape: MessageShape,
  at: C,
  rewriting: Rewriting<C>,
): Uint8Array {
  const reader = new WireReader(bytes, shape.typeName);
  const pieces: Uint8Array[] = [];
  let changed = false;
  while (!reader.isAtEnd) {
    const start = reader.at;
    const message = reader.delimited();
    const rewritten = rewriteMessage(message, shape, at, rewriting);
    changed ||= rewritten !== message;
    pieces.push(rewritten === message ? bytes.subarray(start, reader.at) : writeDelimited(rewritten));
  }
  return changed ? concat(pieces) : bytes;
}

class Rewriter<C> {
  readonly #rewriting: Rewriting<C>;

  constructor(rewriting: Rewriting<C>) {
    this.#rewriting = rewriting;
  }

  message(bytes: Uint8Array, shape: MessageShape, at: C, depth: number): Uint8Array {
    this.#rewriting.message(bytes.length);
    if (depth > MAX_DEPTH)
      throw new ProtobufError(
        `The protobuf message ${shape.typeName} is nested more than ${MAX_DEPTH} deep.`,
      );
    const reader = new WireReader(bytes, shape.typeName);
    const pieces: Uint8Array[] = [];
    let copied = 0;
    while (!reader.isAtEnd) {
      const start = reader.at;
      const tag = reader.tag();
      const value = reader.at;
      const put = this.#field(reader, tag, { shape, at, depth });
      if (put === undefined) continue;
      pieces.push(bytes.subarray(copied, put.length === 0 ? start : value), ...put);
      copied = reader.at;
    }
    return copied === 0 ? bytes : concat([...pieces, bytes.subarray(copied)]);
  }

  /** What stands for the value of a field: undefined where it stays, nothing where the whole field goes. */
  #field(
    reader: WireReader,
    tag: Tag,
    { shape, at, depth }: { shape: MessageShape; at: C; depth: number },
  ): Uint8Array[] | undefined {
    const field = shape.fields.get(tag.number);
    if (field === undefined) {
      reader.skip(tag);
      return this.#rewriting.dropsUnknown(at) ? [] : undefined;
    }
    const here = this.#rewriting.enter(at, field, shape);
    const { type } = field;
    if (type.kind === 'number') return this.#numbers(reader, tag, { field, type, at: here });
    if (type.kind === 'message') return this.#inner(reader, tag, { field, type, at: here, depth });
    if (tag.wire !== LENGTH_DELIMITED) throw misfit(field);
    const value = reader.delimited();
    const put = type.kind === 'string' ? this.#text(value, field, here) : this.#rewriting.bytes(value, here);
    return put && [writeDelimited(put)];
  }

  #text(value: Uint8Array, field: Field, at: C): Uint8Array | undefined {
    if (!isUtf8(value))
      throw new ProtobufError(`The protobuf field ${field.name} is a string that is not UTF-8.`);
    const put = this.#rewriting.string(Buffer.from(value).toString('utf8'), at);
    return put === undefined ? undefined : Buffer.from(put);
  }

  #inner(
    reader: WireReader,
    tag: Tag,
    { field, type, at, depth }: { field: Field; type: FieldType & { kind: 'message' }; at: C; depth: number },
  ): Uint8Array[] | undefined {
    if (tag.wire !== (type.isGroup ? GROUP_BEGIN : LENGTH_DELIMITED)) throw misfit(field);
    const start = reader.at;
    const value = type.isGroup ? reader.group(tag.number) : reader.delimited();
    const put = this.message(value, type.shape, at, depth + 1);
    if (put === value) return undefined;
    if (!type.isGroup) return [writeDelimited(put)];
    const end = reader.since(start + value.length);
    return [put, end];
  }

  /** One number, or several packed into one field. */
  #numbers(reader: WireReader, tag: Tag, of: OneNumber<C>): Uint8Array[] | undefined {
    if (tag.wire === of.type.wire) {
      const put = this.#number(reader, of);
      return put && [put];
    }
    if (tag.wire !== LENGTH_DELIMITED) throw misfit(of.field);
    const packed = new WireReader(reader.delimited(), of.field.name);
    const pieces: Uint8Array[] = [];
    let changed = false;
    while (!packed.isAtEnd) {
      const start = packed.at;
      const put = this.#number(packed, of);
      changed ||= put !== undefined;
      pieces.push(put ?? packed.since(start));
    }
    return changed ? [writeDelimited(concat(pieces))] : undefined;
  }

  #number(reader: WireReader, { type, at }: OneNumber<C>): Uint8Array | undefined {
    return this.#rewriting.number(numberText(reader, type), at) ? writeNumber(type) : undefined;
  }
}

interface OneNumber<C> {
  readonly field: Field;
  readonly type: FieldType & { readonly kind: 'number' };
  readonly at: C;
}

function misfit({ name }: Field): ProtobufError {
  return new ProtobufError(`The protobuf field ${name} is of another type than its descriptor says.`);
}
