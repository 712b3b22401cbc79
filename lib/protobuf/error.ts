import { GatehouseError } from '../errors.ts';

/** Bytes that are no message of the type they are said to be. The sentence quotes nothing of them. */
export class ProtobufError extends GatehouseError {
  readonly code = 'protobuf_invalid';
}

/** A descriptor set that cannot be used, or does not hold what is asked of it. */
export class DescriptorError extends GatehouseError {
  readonly code = 'descriptor_invalid';
}
