import { GatehouseError } from '../../lib/errors.ts';

/** An event cannot be kept: the spool is full, the disk is, or the event is larger than a record may be. */
export class RecorderUnavailable extends GatehouseError {
  readonly code = 'recorder_unavailable';
}

/** It will not be kept later either. The message is half a sentence that the caller may see. */
export class RecordTooLarge extends RecorderUnavailable {}
