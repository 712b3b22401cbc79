/** Verifies a whole store, reading it once and holding no more than the ends of its streams. */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { sentenceOf } from '../../lib/errors.ts';
import type { Checkpoint, LogStart } from '../../operator/record/checkpoint.ts';
import { isMissing } from '../../operator/record/files.ts';
import { layout, listSegments, segmentName } from '../../operator/record/layout.ts';
import type { CompactRange } from '../../operator/record/merkle.ts';
import { leafHash } from '../../operator/record/merkle.ts';
import type { NoteVerifier } from '../../operator/record/note.ts';
import { readSegment, type SegmentLine } from '../../operator/record/segment-reader.ts';
import { Chains, checkEntry } from './check-entry.ts';
import { RecordFault } from './fault.ts';
import { keyOf } from './key.ts';
import { logFile, readCheckpoint, readLogStart, readSegmentEnd, segmentEndFile } from './signed-files.ts';

/** How long a recorder at work may take to sign for what it has written. */
const SIGNING_MS = 3_000;
const POLL_MS = 100;

export interface VerifyOptions {
  readonly store: string;
  /** Trusted instead of the key in the store. */
  readonly key: NoteVerifier | undefined;
  /** The log must have at least this many entries: what shows that the whole store was put back to an earlier state. */
  readonly expectSize: number | undefined;
  readonly signingMs?: number;
}

export interface Verified {
  /** Records that were read; fewer than `size` when the oldest have been dropped for their age. */
  readonly records: number;
  readonly streams: number;
  /** Entries that the checkpoint is signed for. */
  readonly size: number;
  readonly key: string;
  readonly pinned: boolean;
}

/** Throws RecordFault naming the first thing that is wrong. */
export async function verifyStore(options: VerifyOptions): Promise<Verified> {
  const { store, expectSize } = options;
  const { verifier, pinned } = await keyOf(store, options.key);
  const target = await readCheckpoint(store, verifier);
  if (expectSize !== undefined && target.size < expectSize) {
    throw new RecordFault(
      { file: 'checkpoint' },
      `it is signed for ${target.size} records, but ${expectSize} were expected: the store was put back to an earlier state`,
    );
  }
  const start = await readLogStart(store, verifier);
  const walk = new Walk({ store, verifier, start, target, signingMs: options.signingMs ?? SIGNING_MS });
  await walk.run();
  const { records, streams, size } = walk;
  return { records, streams, size, key: verifier.vkey, pinned };
}

interface WalkOptions {
  readonly store: string;
  readonly verifier: NoteVerifier;
  readonly start: LogStart;
  readonly target: Checkpoint;
  readonly signingMs: number;
}

/** One pass over the segments. */
class Walk {
  readonly #options: WalkOptions;
  readonly #tree: CompactRange;
  readonly #chains: Chains;
  #target: Checkpoint;
  /** Whether the recorder has signed for more since the walk began. */
  #grew = false;
  #ended = false;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#target = options.target;
    this.#tree = options.start.tree.clone();
    this.#chains = new Chains(options.start.firstSegment > 1);
  }

  get size(): number {
    return this.#target.size;
  }

  get records(): number {
    return this.#tree.size - this.#options.start.tree.size;
  }

  get streams(): number {
    return this.#chains.streams;
  }

  async run(): Promise<void> {
    const { store, start } = this.#options;
    this.#checkRoot('checkpoint');
    let number = start.firstSegment;
    while (!this.#ended && (await this.#segment(number))) number += 1;
    if (this.#ended) return;
    const beyond = (await listSegments(store)).find((each) => each > number);
    const missing = this.#target.size - this.#tree.size;
    if (beyond !== undefined)
      throw new RecordFault({ file: logFile(segmentName(number)) }, 'the segment is missing');
    if (missing > 0) {
      throw new RecordFault(
        { file: logFile(segmentName(Math.max(number - 1, start.firstSegment))) },
        `the last ${missing} of the ${this.#target.size} records that were signed for are missing`,
      );
    }
  }

  /** False when there is no such segment. */
  async #segment(number: number): Promise<boolean> {
    const { store } = this.#options;
    const file = logFile(segmentName(number));
    let lines = 0;
    try {
      for await (const line of readSegment(layout.segment(store, number))) {
        if (this.#tree.size === this.#target.size) await this.#lookFurther(number, line);
        if (this.#ended) return true;
        this.#line(file, line);
        lines = line.number;
      }
    } catch (error) {
      if (isMissing(error)) return false;
      throw error instanceof RecordFault ? error : new RecordFault({ file }, sentenceOf(error));
    }
    await this.#segmentEnd(number, lines);
    return true;
  }

  #line(file: string, line: SegmentLine): void {
    const at = { file, line: line.number };
    const checked = checkEntry(line.bytes, at);
    if (!line.whole) throw new RecordFault(checked.place, 'it was cut short');
    this.#chains.follow(checked);
    this.#tree.append(leafHash(line.bytes));
    this.#checkRoot(file);
  }

  /** Once all is read that the checkpoint speaks of, the tree must be the one that was signed. */
  #checkRoot(file: string): void {
    if (this.#tree.size !== this.#target.size || this.#tree.root().equals(this.#target.root)) return;
    throw new RecordFault(
      { file },
      'its records fit together, but they are not those that were signed for: some were replaced, left out or put elsewhere, and their hashes made to fit',
    );
  }

  /**
   * A line beyond the checkpoint is not signed for yet by a recorder at work, or was taken back by one whose disk takes no
   * more, or does not belong there.
   */
  async #lookFurther(number: number, line: SegmentLine): Promise<void> {
    const { store, verifier, signingMs } = this.#options;
    for (let waited = 0; waited <= signingMs; waited += POLL_MS) {
      const newer = await readCheckpoint(store, verifier);
      if (newer.size > this.#target.size) {
        // Chasing a busy recorder would never end: what it signed for since is enough.
        this.#ended = this.#grew;
        this.#grew = true;
        if (!this.#ended) this.#target = newer;
        return;
      }
      this.#ended = (await sizeOf(layout.segment(store, number))) < line.end;
      if (this.#ended) return;
      await sleep(POLL_MS);
    }
    const { place } = checkEntry(line.bytes, { file: logFile(segmentName(number)), line: line.number });
    throw new RecordFault(
      place,
      `the checkpoint is signed for ${this.#target.size} records and this is one more: it was added, or the checkpoint is an older one`,
    );
  }

  /** A closed segment is signed for by itself. Only the newest may lack that. */
  async #segmentEnd(number: number, lines: number): Promise<void> {
    const { store, verifier } = this.#options;
    const end = await readSegmentEnd(store, number, verifier);
    if (end === undefined) {
      if (!(await listSegments(store)).some((each) => each > number)) return;
      throw new RecordFault({ file: segmentEndFile(number) }, 'it is missing');
    }
    const file = logFile(segmentName(number));
    const missing = end.size - this.#tree.size;
    if (missing > 0) throw new RecordFault({ file }, `${missing} of its records are missing`);
    if (missing === 0 && end.root.equals(this.#tree.root())) return;
    throw new RecordFault(
      { file },
      `its ${lines} records fit together, but are not those that were signed for when it was closed`,
    );
  }
}

/** Bytes; none where there is no such file any more. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
