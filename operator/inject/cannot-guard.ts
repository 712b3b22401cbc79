import { GatehouseError } from '../../lib/errors.ts';

/** A pod that cannot be guarded as it stands. The message completes "Pod … cannot be guarded: …" and says how to mend it. */
export class CannotGuard extends GatehouseError {
  readonly code = 'cannot_guard';
}
