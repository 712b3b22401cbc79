/** Descriptor sets, as `buf build` and `protoc --include_imports --descriptor_set_out` write them. */
import { createFileRegistry, fromBinary, type DescMessage, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { DescriptorError } from './error.ts';
import { shapeOf, type Field, type MessageShape } from './shape.ts';

/** Fields of a message by their numbers, and of the messages in them. */
export interface FieldTree {
  /** Whether all that is in the field is meant. */
  readonly whole: boolean;
  readonly fields: ReadonlyMap<number, FieldTree>;
}

export interface MaskedMessage {
  readonly shape: MessageShape;
  readonly tree: FieldTree;
}

const NAMED = 12;

export interface DescriptorSet {
  /**
   * What of a message is meant by paths of field names such as `card.number`; repeated fields and maps are gone
   * through. Throws DescriptorError, whose message completes "the set …".
   */
  maskedMessage(message: string, paths: readonly string[]): MaskedMessage;
}

/** Throws DescriptorError, whose message completes "the set …", for bytes that are no whole set. */
export function openDescriptorSet(set: Uint8Array): DescriptorSet {
  const registry = registryOf(set);
  return {
    maskedMessage: (message, paths) => {
      const shape = shapeOf(messageIn(registry, message));
      const tree = emptyTree();
      for (const path of paths) select(tree, shape, path);
      return { shape, tree };
    },
  };
}

interface Tree extends FieldTree {
  whole: boolean;
  readonly fields: Map<number, Tree>;
}

function emptyTree(): Tree {
  return { whole: false, fields: new Map() };
}

function registryOf(set: Uint8Array): FileRegistry {
  try {
    const read = fromBinary(FileDescriptorSetSchema, set);
    if (read.file.length === 0) throw new DescriptorError('holds no file');
    return createFileRegistry(read);
  } catch (cause) {
    if (cause instanceof DescriptorError) throw cause;
    throw new DescriptorError(
      'is not a whole descriptor set; make it with protoc --include_imports --descriptor_set_out, or buf build',
      { cause },
    );
  }
}

function messageIn(registry: FileRegistry, name: string): DescMessage {
  const found = registry.getMessage(name);
  if (found !== undefined) return found;
  const names = [...registry].filter((type) => type.kind === 'message').map(({ typeName }) => typeName);
  throw new DescriptorError(`does not hold the message ${name}; it holds ${listed(names)}`);
}

function select(root: Tree, message: MessageShape, path: string): void {
  let tree = root;
  let shape: MessageShape | undefined = message;
  for (const name of path.split('.')) {
    if (shape === undefined)
      throw new DescriptorError(`has the path ${path}, which goes on below a field that is no message`);
    const field = fieldCalled(shape, name, path);
    tree = grow(tree, field.number);
    shape = field.type.kind === 'message' ? field.type.shape : undefined;
    // The entry of a map is not named: what is meant is its value.
    const value = shape?.isEntry === true ? shape.fields.get(2) : undefined;
    if (value === undefined) continue;
    tree = grow(tree, value.number);
    shape = value.type.kind === 'message' ? value.type.shape : undefined;
  }
  tree.whole = true;
}

function fieldCalled(shape: MessageShape, name: string, path: string): Field {
  const all = [...shape.fields.values()];
  const field = all.find((one) => one.name === name || one.jsonName === name);
  if (field !== undefined) return field;
  const names = all.map((one) => one.name);
  throw new DescriptorError(`has no field ${path}: the message ${shape.typeName} has ${listed(names)}`);
}

function grow(tree: Tree, number: number): Tree {
  const next = tree.fields.get(number) ?? emptyTree();
  tree.fields.set(number, next);
  return next;
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  return names.length > NAMED ? `${names.slice(0, NAMED).join(', ')} and others` : names.join(', ');
}
