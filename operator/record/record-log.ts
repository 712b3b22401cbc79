/** The log of a store: entries are appended in groups; a group is on disk and signed for, or it is not there. */
import { readFile } from 'node:fs/promises';
import { sentenceOf } from '../../lib/errors.ts';
import { syncDirectory, writeFileDurably } from '../../lib/durable-file.ts';
import type { Logger } from '../../lib/log.ts';
import type { StreamHead } from './chain.ts';
import { signCheckpoint, signSegmentEnd } from './checkpoint.ts';
import { StoreDamaged } from './errors.ts';
import { layout } from './layout.ts';
import { leafHash, type CompactRange } from './merkle.ts';
import type { NoteSigner } from './note.ts';
import { dropExpired } from './retention.ts';
import { Segment } from './segment.ts';

export interface LogLimits {
  /** A segment is closed when it is this large or this old. */
  readonly segmentBytes: number;
  readonly segmentAgeMs: number;
  /** Closed segments that were last written longer ago than this are dropped; undefined keeps all. */
  readonly retentionMs: number | undefined;
}

export interface LogState {
  readonly tree: CompactRange;
  readonly streams: Map<string, StreamHead>;
  /** The segment to go on with; undefined when the next entry opens one. */
  readonly segment: Segment | undefined;
  /** Number of the newest segment that was ever opened, 0 for none. */
  readonly newest: number;
}

export interface LogOptions {
  readonly store: string;
  readonly signer: NoteSigner;
  readonly limits: LogLimits;
  readonly now: () => number;
  readonly log: Logger;
}

const NEWLINE = Buffer.from('\n');

/** Calls must not overlap: the committer makes them one at a time. */
export class RecordLog {
  readonly #options: LogOptions;
  readonly #streams: Map<string, StreamHead>;
  #tree: CompactRange;
  #segment: Segment | undefined;
  #newest: number;

  constructor(options: LogOptions, state: LogState) {
    this.#options = options;
    this.#tree = state.tree;
    this.#streams = state.streams;
    this.#segment = state.segment;
    this.#newest = state.newest;
  }

  get size(): number {
    return this.#tree.size;
  }

  get newestSegment(): number {
    return this.#newest;
  }

  streamHead(stream: string): StreamHead | undefined {
    return this.#streams.get(stream);
  }

  /**
   * Stores entries (lines without newline) and the heads of the streams they belong to. Rejects when the disk does
   * not take them; then nothing has changed. Throws StoreDamaged when not even that can be restored.
   */
  async append(entries: readonly Buffer[], heads: ReadonlyMap<string, StreamHead>): Promise<void> {
    const segment = await this.#segmentToWrite();
    const data = Buffer.concat(entries.flatMap((entry) => [entry, NEWLINE]));
    const tree = this.#tree.clone();
    for (const entry of entries) tree.append(leafHash(entry));
    try {
      await segment.write(data);
      await this.#writeCheckpoint(tree);
    } catch (error) {
      await this.#undo(segment, error);
      throw error;
    }
    segment.keep(data.length);
    this.#tree = tree;
    for (const [stream, head] of heads) this.#streams.set(stream, head);
  }

  /** Closes a segment that is old enough and drops what nobody wants to keep. */
  async maintain(): Promise<void> {
    const { store, signer, limits, now, log } = this.#options;
    if (this.#segment !== undefined && this.#isFull(this.#segment)) await this.#closeSegment(this.#segment);
    if (limits.retentionMs === undefined) return;
    const dropped = await dropExpired({
      store,
      signer,
      before: now() - limits.retentionMs,
      keep: this.#segment?.number,
    });
    if (dropped > 0) log.info({ segments: dropped }, 'dropped segments that are older than the retention');
  }

  async close(): Promise<void> {
    await this.#segment?.close();
  }

  async #segmentToWrite(): Promise<Segment> {
    if (this.#segment !== undefined && this.#isFull(this.#segment)) await this.#closeSegment(this.#segment);
    this.#segment ??= await this.#openSegment();
    return this.#segment;
  }

  #isFull({ bytes, openedAt }: Segment): boolean {
    const { segmentBytes, segmentAgeMs } = this.#options.limits;
    return bytes > 0 && (bytes >= segmentBytes || this.#options.now() - openedAt >= segmentAgeMs);
  }

  async #openSegment(): Promise<Segment> {
    const { store, now } = this.#options;
    const number = this.#newest + 1;
    const segment = await Segment.create(layout.segment(store, number), number, now());
    await syncDirectory(layout.log(store));
    this.#newest = number;
    return segment;
  }

  async #closeSegment(segment: Segment): Promise<void> {
    const { store, signer, now } = this.#options;
    await writeFileDurably(
      layout.segmentCheckpoint(store, segment.number),
      signSegmentEnd(this.#tree, now(), signer),
    );
    await segment.close();
    this.#segment = undefined;
  }

  async #writeCheckpoint(tree: CompactRange): Promise<void> {
    const { store, signer } = this.#options;
    await writeFileDurably(layout.checkpoint(store), signCheckpoint(tree, signer));
  }

  /** Takes back what was written, unless the new checkpoint is in force already: then only a restart can tell. */
  async #undo(segment: Segment, cause: unknown): Promise<void> {
    const { store, signer } = this.#options;
    const doubt = (why: string): StoreDamaged =>
      new StoreDamaged(`${store} is in doubt after a failed write (${why}); the recorder must start again.`, {
        cause,
      });
    const inForce = await readFile(layout.checkpoint(store), 'utf8').catch(() => undefined);
    if (inForce !== signCheckpoint(this.#tree, signer)) throw doubt(sentenceOf(cause));
    await segment.cut().catch((error: unknown) => {
      throw doubt(sentenceOf(error));
    });
  }
}
