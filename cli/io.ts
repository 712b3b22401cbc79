import type { Readable, Writable } from 'node:stream';
import { GatehouseError } from '../lib/errors.ts';

/** What a verb may touch of the process it runs in. Tests pass streams of their own. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborted when the process is asked to end (SIGTERM, SIGINT). */
  readonly stop: AbortSignal;
}

/** A verb: its arguments without its own name, to an exit code. 0 done, 1 refused, 2 used wrongly. */
export type Verb = (args: readonly string[], io: Io) => Promise<number>;

/** The command line was wrong. `main.ts` prints the sentence on stderr and exits 2. */
export class UsageError extends GatehouseError {
  readonly code = 'usage';
}
