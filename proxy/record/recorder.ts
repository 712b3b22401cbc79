/** Events become chained lines in a spool on disk, and a loop delivers the spool to the recorder. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { RecordEvent } from '../../crds/control.ts';
import { lockDirectory } from '../../lib/exclusive-lock.ts';
import type { Logger } from '../../lib/log.ts';
import { Delivery } from './delivery.ts';
import { RECORDER_LIMITS, type RecorderLimits } from './limits.ts';
import { Spool, type RecorderState } from './spool.ts';
import type { RecordTransport } from './transport.ts';

export type { RecorderState } from './spool.ts';

export interface RecorderOptions {
  /** A directory of this process alone; what earlier processes left in it is delivered first. */
  readonly spoolDir: string;
  /** Names this process start in the record. Unguessable and never used again; random when absent. */
  readonly stream?: string;
  readonly transport: RecordTransport;
  readonly now: () => number;
  readonly limits?: Partial<RecorderLimits>;
  readonly log: Logger;
}

export interface Recorder {
  readonly stream: string;
  /**
   * Puts the event on disk before it returns: it survives the death of this process, not of the machine.
   * Throws RecorderUnavailable when it cannot; then nothing was kept.
   */
  write(event: RecordEvent): void;
  /** False while the spool is full, too old, or cannot be written: a gateway with `onFailure: Block` refuses calls. */
  ready(): boolean;
  state(): RecorderState;
  /** Resolves when everything written so far is delivered (true), or when `timeoutMs` have passed (false). */
  flush(timeoutMs?: number): Promise<boolean>;
  /** Delivers what it can in a bounded time; the rest stays in the spool for the next start. */
  close(): Promise<void>;
}

/** Opens the spool and starts delivering. Throws a GatehouseError when the directory cannot be used. */
export function createRecorder(options: RecorderOptions): Recorder {
  const limits = { ...RECORDER_LIMITS, ...options.limits };
  const { now, log, transport, spoolDir: directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = lockDirectory(directory);
  const stream = options.stream ?? newStreamId();
  const spool = new Spool({ directory, stream, limits, now, log, newStream: newStreamId });
  const delivery = new Delivery({ spool, transport, limits, log });
  delivery.start();

  return {
    stream,
    write: (event) => {
      spool.write(event);
      delivery.wake();
    },
    ready: () => spool.ready(),
    state: () => spool.state(),
    flush: (timeoutMs = limits.closeMs) => delivery.flush(timeoutMs),
    close: async () => {
      await delivery.flush(limits.closeMs);
      await delivery.stop();
      await transport.close();
      spool.close();
      unlock();
    },
  };
}

function newStreamId(): string {
  return randomBytes(16).toString('hex');
}
