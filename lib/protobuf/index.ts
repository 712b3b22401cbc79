/** Protocol Buffers by descriptor: values rewritten in the bytes of a message. */
export { openDescriptorSet, type DescriptorSet, type FieldTree, type MaskedMessage } from './descriptor.ts';
export { DescriptorError, ProtobufError } from './error.ts';
export { rewriteMessage, rewriteStream, type Rewriting } from './rewrite.ts';
export type { Field, MessageShape } from './shape.ts';
