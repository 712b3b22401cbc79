/** What Prometheus sees of a recorder. Every name starts with `gatehouse_recorder_`. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const PREFIX = 'gatehouse_recorder_';

/** How a batch ended; `invalid` covers everything that was not read as lines. */
export type BatchResult =
  'accepted' | 'out_of_sequence' | 'chain_broken' | 'invalid' | 'unauthenticated' | 'unavailable';

export interface RecorderMetrics {
  batch(result: BatchResult): void;
  /** Lines stored; those that were stored before do not count again. */
  stored(lines: number): void;
  /** From the end of the request's body to the answer. */
  committed(seconds: number): void;
  observeLog(read: () => { size: number; segment: number }): void;
  readonly contentType: string;
  text(): Promise<string>;
}

export function createRecorderMetrics(): RecorderMetrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register, prefix: PREFIX });
  const batches = new Counter({
    name: `${PREFIX}batches_total`,
    help: 'Batches of record lines, by how they ended.',
    labelNames: ['result'],
    registers,
  });
  const lines = new Counter({ name: `${PREFIX}lines_total`, help: 'Record lines stored.', registers });
  const commit = new Histogram({
    name: `${PREFIX}commit_seconds`,
    help: 'Time to check, write, sync and sign for a batch.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  return {
    batch: (result) => batches.inc({ result }),
    stored: (count) => lines.inc(count),
    committed: (seconds) => commit.observe(seconds),
    observeLog: (read) => {
      observe(
        'log_entries',
        'Entries in the log, those included that were dropped for their age.',
        () => read().size,
      );
      observe('log_segment', 'Number of the newest segment.', () => read().segment);
    },
    contentType: register.contentType,
    text: () => register.metrics(),
  };

  function observe(name: string, help: string, value: () => number): void {
    new Gauge({
      name: `${PREFIX}${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
}
