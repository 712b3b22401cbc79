const MIB = 1024 * 1024;

/** Sizes are bytes, times milliseconds. */
export interface RecorderLimits {
  /** The recorder is not ready while more than this is undelivered. */
  readonly maxBytes: number;
  /** On top of `maxBytes`, for the answers of calls that were let in before it was reached. */
  readonly reserveBytes: number;
  /** The recorder is not ready while something has waited longer than this for delivery. */
  readonly maxAgeMs: number;
  readonly maxLineBytes: number;
  /** A spool file is removed when all of it is delivered. */
  readonly fileBytes: number;
  readonly batchBytes: number;
  readonly batchLines: number;
  /** How long the first line waits for company before it is sent. */
  readonly lingerMs: number;
  /** Retries wait up to this, doubling from a fiftieth of it. */
  readonly backoffMs: number;
  /** How long `close` waits for the last delivery. */
  readonly closeMs: number;
}

export const RECORDER_LIMITS: RecorderLimits = {
  maxBytes: 64 * MIB,
  reserveBytes: 16 * MIB,
  maxAgeMs: 60_000,
  maxLineBytes: 16 * MIB,
  fileBytes: MIB,
  batchBytes: MIB,
  batchLines: 4096,
  lingerMs: 50,
  backoffMs: 5_000,
  closeMs: 3_000,
};
