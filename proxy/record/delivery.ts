/** The loop that brings the spool to the recorder, one batch at a time, for as long as the process lives. */
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { RecorderLimits } from './limits.ts';
import type { Spool } from './spool.ts';
import type { Batch, StreamSpool } from './stream-spool.ts';
import type { DeliveryAnswer, RecordTransport } from './transport.ts';

/** The first retry waits a fiftieth of the longest. */
const BACKOFF_START = 1 / 50;

interface DeliveryOptions {
  readonly spool: Spool;
  readonly transport: RecordTransport;
  readonly limits: RecorderLimits;
  readonly log: Logger;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  /** Ends the pause that the loop is in. */
  #interrupt: (() => void) | undefined;
  #idle = false;
  readonly #stop = new AbortController();
  #hurry = false;
  #failures = 0;
  /** One after a rejection, until the line that was meant is found. */
  #batchLines: number;
  #done: Promise<void> = Promise.resolve();
  #flushed: (() => void)[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#batchLines = options.limits.batchLines;
  }

  start(): void {
    this.#done = this.#run();
  }

  /** Something was written. Costs nothing while the loop is busy. */
  wake(): void {
    if (this.#idle) this.#interrupt?.();
  }

  /** True when the spool was empty before the time was over. */
  async flush(timeoutMs: number): Promise<boolean> {
    this.#hurry = true;
    const delivered = new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs, false);
      this.#flushed.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
    this.#interrupt?.();
    return delivered.finally(() => (this.#hurry = false));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#interrupt?.();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped()) {
      try {
        const stream = this.#options.spool.current();
        if (stream === undefined) await this.#waitForWork();
        else await this.#deliverFrom(stream);
      } catch (error) {
        if (!this.#isStopped()) await this.#backOff(error);
      }
    }
  }

  async #waitForWork(): Promise<void> {
    for (const resolve of this.#flushed.splice(0)) resolve();
    this.#idle = true;
    await this.#pause(undefined);
    this.#idle = false;
    await this.#gather();
  }

  async #deliverFrom(stream: StreamSpool): Promise<void> {
    const batch = stream.read(this.#batchLines);
    if (batch === undefined) return;
    const answer = await this.#options.transport.send(stream.stream, batch.body, this.#stop.signal);
    this.#apply(answer, stream, batch);
    if (stream.pending < this.#options.limits.batchBytes) await this.#gather();
  }

  #apply(answer: DeliveryAnswer, stream: StreamSpool, batch: Batch): void {
    switch (answer.kind) {
      case 'acknowledged':
        this.#succeeded();
        if (answer.seq + 1 === batch.first + batch.count) stream.delivered(batch);
        else stream.deliveredTo(answer.seq + 1);
        return;
      case 'out_of_sequence':
        this.#resume(stream, answer.expected);
        return;
      case 'chain_broken':
        this.#options.log.error(
          { stream: stream.stream, answer: answer.message },
          'the recorder holds another chain',
        );
        this.#options.spool.restart(stream);
        return;
      case 'rejected':
        this.#narrow(stream, batch, answer.message);
    }
  }

  #resume(stream: StreamSpool, expected: number): void {
    const { log, spool } = this.#options;
    if (expected > stream.next && spool.couldHold(stream, expected)) {
      stream.deliveredTo(expected);
      return;
    }
    log.error(
      { stream: stream.stream, expected, held: stream.next },
      'the recorder does not hold what it acknowledged, or more than was sent',
    );
    spool.restart(stream);
  }

  /** Sends line by line until the one that is rejected stands alone, then sets that one aside. */
  #narrow(stream: StreamSpool, batch: Batch, message: string): void {
    if (batch.count > 1) {
      this.#batchLines = 1;
      return;
    }
    this.#options.log.error(
      { stream: stream.stream, seq: batch.first, answer: message },
      'a record was set aside',
    );
    this.#options.spool.reject(stream, batch);
    this.#batchLines = this.#options.limits.batchLines;
  }

  #succeeded(): void {
    if (this.#failures > 0)
      this.#options.log.info({ failures: this.#failures }, 'the recorder answers again');
    this.#failures = 0;
  }

  async #backOff(error: unknown): Promise<void> {
    const { limits, log } = this.#options;
    if (this.#failures === 0) log.warn({ err: error }, `records wait in the spool: ${sentenceOf(error)}`);
    const longest = Math.min(
      limits.backoffMs,
      limits.backoffMs * BACKOFF_START * 2 ** Math.min(this.#failures, 30),
    );
    this.#failures += 1;
    await this.#pause(longest * (0.5 + Math.random() / 2));
  }

  /** Lets lines come together, so that a busy proxy sends few large batches. */
  async #gather(): Promise<void> {
    if (!this.#hurry && !this.#isStopped()) await this.#pause(this.#options.limits.lingerMs);
  }

  /** Waits until interrupted, or for `ms`. Keeps no process alive. */
  async #pause(ms: number | undefined): Promise<void> {
    if (this.#isStopped()) return;
    await new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms).unref();
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#interrupt = undefined;
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }
}
