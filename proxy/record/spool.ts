/** The spool directory: the live stream of this process, and what earlier ones left. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_PREV, lineHash, type RecordEvent } from '../../crds/control.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { RecorderUnavailable, RecordTooLarge } from './errors.ts';
import type { RecorderLimits } from './limits.ts';
import { moveLines, setAside } from './rescue.ts';
import { parseSpoolName, SpoolFile } from './spool-file.ts';
import { StreamSpool, type Batch } from './stream-spool.ts';

/** After a failed write the disk is tried again, by one call, when this has passed. */
const RETRY_WRITE_MS = 1_000;

/** For metrics. */
export interface RecorderState {
  readonly ready: boolean;
  /** Undelivered bytes. */
  readonly spoolBytes: number;
  /** Age of the oldest undelivered line, milliseconds; 0 when there is none. */
  readonly lagMs: number;
  /** Lines that were set aside because the recorder will never take them. */
  readonly setAside: number;
}

interface SpoolOptions {
  readonly directory: string;
  readonly stream: string;
  readonly limits: RecorderLimits;
  readonly now: () => number;
  readonly log: Logger;
  readonly newStream: () => string;
}

interface LiveStream {
  readonly spool: StreamSpool;
  seq: number;
  prev: string;
}

export class Spool {
  readonly #options: SpoolOptions;
  #leftovers: StreamSpool[];
  #live: LiveStream;
  #failedAt: number | undefined;
  #setAside = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#live = this.#newLive(options.stream);
    this.#leftovers = this.#openLeftovers();
  }

  write(event: RecordEvent): void {
    const { maxBytes, reserveBytes } = this.#options.limits;
    if (this.#pending() > maxBytes + reserveBytes) {
      throw new RecorderUnavailable(
        `The record spool holds ${this.#pending()} undelivered bytes and takes no more until the recorder has answered.`,
      );
    }
    this.append(JSON.stringify(event));
  }

  /** Chains one event, given as JSON text, to the live stream. */
  append(event: string): void {
    const live = this.#live;
    const line = `{"stream":"${live.spool.stream}","seq":${live.seq},"prev":"${live.prev}","event":${event}}\n`;
    const bytes = Buffer.from(line);
    if (bytes.length > this.#options.limits.maxLineBytes) {
      throw new RecordTooLarge(
        `it takes ${bytes.length} bytes as a record, which has at most ${this.#options.limits.maxLineBytes}`,
      );
    }
    this.#appendBytes(live, bytes);
    live.prev = lineHash(bytes.subarray(0, -1));
    live.seq += 1;
  }

  ready(): boolean {
    const { limits } = this.#options;
    const now = this.#options.now();
    if (this.#failedAt !== undefined && now - this.#failedAt < RETRY_WRITE_MS) return false;
    return this.#pending() <= limits.maxBytes && this.#lag(now) <= limits.maxAgeMs;
  }

  state(): RecorderState {
    return {
      ready: this.ready(),
      spoolBytes: this.#pending(),
      lagMs: this.#lag(this.#options.now()),
      setAside: this.#setAside,
    };
  }

  /** The stream to deliver from next: what earlier processes left comes first. */
  current(): StreamSpool | undefined {
    for (let oldest = this.#leftovers[0]; oldest !== undefined; oldest = this.#leftovers[0]) {
      if (oldest.pending > 0) return oldest;
      oldest.close();
      this.#leftovers.shift();
    }
    return this.#live.spool.pending > 0 ? this.#live.spool : undefined;
  }

  /** Whether the recorder can rightly hold lines up to before `expected` of this stream. */
  couldHold(spool: StreamSpool, expected: number): boolean {
    return spool !== this.#live.spool || expected <= this.#live.seq;
  }

  /** Chains everything undelivered of a stream anew, under a stream that the recorder has not seen. */
  restart(spool: StreamSpool): void {
    this.#retire(spool);
    moveLines(spool, this);
    this.#options.log.warn(
      { stream: spool.stream, continuedAs: this.#live.spool.stream },
      'undelivered records go on under another stream',
    );
  }

  /** Takes one line that the recorder will never accept out of the way, and goes on with the rest. */
  reject(spool: StreamSpool, batch: Batch): void {
    setAside(join(this.#options.directory, `${spool.stream}.rejected`), batch.body);
    this.#setAside += batch.count;
    this.#retire(spool);
    spool.delivered(batch);
    this.restart(spool);
  }

  close(): void {
    for (const spool of [...this.#leftovers, this.#live.spool]) spool.close();
  }

  #appendBytes(live: LiveStream, bytes: Buffer): void {
    const now = this.#options.now();
    try {
      live.spool.append(live.seq, bytes, now);
      this.#failedAt = undefined;
    } catch (error) {
      this.#failedAt = now;
      throw new RecorderUnavailable(`The record spool cannot be written: ${sentenceOf(error)}.`, {
        cause: error,
      });
    }
  }

  #retire(spool: StreamSpool): void {
    if (spool !== this.#live.spool) return;
    this.#leftovers.push(spool);
    this.#live = this.#newLive(this.#options.newStream());
  }

  #newLive(stream: string): LiveStream {
    const { directory, limits, now } = this.#options;
    return { spool: new StreamSpool({ directory, stream, limits, now: now() }), seq: 0, prev: FIRST_PREV };
  }

  #openLeftovers(): StreamSpool[] {
    const { directory, limits, now, log } = this.#options;
    const names = readdirSync(directory).sort();
    return names.flatMap((name) => {
      const parsed = parseSpoolName(name);
      if (parsed === undefined) return [];
      const { file, torn } = SpoolFile.reopen(join(directory, name));
      if (torn > 0) log.warn({ file: name, torn }, 'dropped the torn end of a spool file');
      const at = { directory, stream: parsed.stream, limits, now: now() };
      return [new StreamSpool(at, { first: parsed.first, file })];
    });
  }

  #pending(): number {
    return this.#leftovers.reduce((sum, spool) => sum + spool.pending, this.#live.spool.pending);
  }

  #lag(now: number): number {
    const times = [...this.#leftovers, this.#live.spool].map((spool) => spool.oldestAt ?? now);
    return Math.max(0, now - Math.min(...times));
  }
}
