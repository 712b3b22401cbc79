/** Group commit: batches that arrive while the disk is busy share the next write, sync and signature. */
import { GatehouseError } from '../../lib/errors.ts';
import { judgeBatch, type LineBatch, type StreamHead, type Verdict } from './chain.ts';
import { encodeEntry } from './entry.ts';
import { StoreDamaged } from './errors.ts';
import type { RecordLog } from './record-log.ts';

/** More than this waiting for the disk is refused, bytes. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

/** The disk does not take records now; the proxies keep them and try again. */
export class StoreBusy extends GatehouseError {
  readonly code = 'store_unavailable';
}

interface Queued {
  readonly batch: LineBatch;
  readonly bytes: number;
  readonly settle: (outcome: Verdict | Error) => void;
}

export interface Committer {
  /** Judges and stores a batch. Accepted means durable and signed for. Rejects when the disk does not take it. */
  commit(batch: LineBatch): Promise<Verdict>;
  /** Runs when no write does. */
  maintain(): Promise<void>;
  /** Waits for what is queued, then closes the log. */
  close(): Promise<void>;
}

/** `onFatal` is called when the store is in doubt: the process must end and start again. */
export function createCommitter(log: RecordLog, onFatal: (error: StoreDamaged) => void): Committer {
  let queue: Queued[] = [];
  let queuedBytes = 0;
  /** Everything that touches the log, one after the other. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = turn.then(run);
    turn = result.catch(() => undefined);
    return result;
  };

  const drain = async (): Promise<void> => {
    const group = queue;
    queue = [];
    queuedBytes = 0;
    if (group.length > 0) await commitGroup(log, group, onFatal);
  };

  return {
    commit: (batch) =>
      new Promise((resolve, reject) => {
        const bytes = batch.lines.reduce((sum, line) => sum + line.bytes.length, 0);
        if (queuedBytes + bytes > MAX_QUEUED_BYTES) {
          reject(new StoreBusy('Too many records wait for the disk; send them again later.'));
          return;
        }
        queuedBytes += bytes;
        const settle = (outcome: Verdict | Error): void => {
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        queue.push({ batch, bytes, settle });
        void inTurn(drain);
      }),
    maintain: () => inTurn(() => log.maintain()),
    close: () =>
      inTurn(async () => {
        await drain();
        await log.close();
      }),
  };
}

async function commitGroup(
  log: RecordLog,
  group: readonly Queued[],
  onFatal: (error: StoreDamaged) => void,
): Promise<void> {
  const heads = new Map<string, StreamHead>();
  const entries: Buffer[] = [];
  const verdicts = group.map(({ batch }) => {
    const verdict = judgeBatch(batch, heads.get(batch.stream) ?? log.streamHead(batch.stream));
    if (verdict.kind === 'accept' && verdict.fresh.length > 0) {
      heads.set(batch.stream, verdict.head);
      entries.push(...verdict.fresh.map((line) => encodeEntry(batch.from, line.bytes)));
    }
    return verdict;
  });
  try {
    if (entries.length > 0) await log.append(entries, heads);
    for (const [i, { settle }] of group.entries()) {
      const verdict = verdicts[i];
      if (verdict !== undefined) settle(verdict);
    }
  } catch (error) {
    // Verdicts of the whole group may rest on lines that were not stored after all.
    for (const { settle } of group)
      settle(new StoreBusy('The store cannot be written; send the records again.', { cause: error }));
    if (error instanceof StoreDamaged) onFatal(error);
  }
}
