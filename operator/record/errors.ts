import { GatehouseError } from '../../lib/errors.ts';

/** The store on disk is not what was signed. The recorder does not start on it: nothing may be signed over a fault. */
export class StoreDamaged extends GatehouseError {
  readonly code = 'store_damaged';
}

/** A signed note or a key that is not well formed, or a signature that does not fit. */
export class NoteInvalid extends GatehouseError {
  readonly code = 'note_invalid';
}

/** A record line that is not one. The lines of a batch are taken together or not at all. */
export class LineInvalid extends GatehouseError {
  readonly code = 'line_invalid';
}
