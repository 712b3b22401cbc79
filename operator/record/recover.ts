/** Opens a store: checks all that was signed for, rebuilds the state from it, and cuts off what was not. */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { UNFINISHED, writeFileDurably } from '../../lib/durable-file.ts';
import { join } from 'node:path';
import type { Logger } from '../../lib/log.ts';
import type { StreamHead } from './chain.ts';
import { openCheckpoint, signCheckpoint } from './checkpoint.ts';
import { parseEntry } from './entry.ts';
import { StoreDamaged } from './errors.ts';
import { readIfThere } from './files.ts';
import { layout, listSegments, segmentName } from './layout.ts';
import { CompactRange, leafHash } from './merkle.ts';
import type { NoteSigner } from './note.ts';
import { bytesHash } from './record-line.ts';
import type { LogState } from './record-log.ts';
import { readStart } from './retention.ts';
import { Segment } from './segment.ts';
import { readSegment, type SegmentLine } from './segment-reader.ts';

/** Everything of a record line that comes before its event. */
const ENVELOPE = /^\{"stream":"([A-Za-z0-9_-]{1,64})","seq":(\d{1,15}),"prev":"[0-9a-f]{64}","event":/;
const MAX_ENVELOPE = 256;

/** Makes the store if it is not there. Throws StoreDamaged when it is not what its key signed. */
export async function openStore(store: string, signer: NoteSigner, log: Logger): Promise<LogState> {
  await mkdir(layout.log(store), { recursive: true, mode: 0o700 });
  await removeUnfinished(store);
  await claimStore(store, signer);
  const checkpoint = openCheckpoint(await readFile(layout.checkpoint(store), 'utf8'), signer.verifier);
  const start = await readStart(store, signer.verifier);
  const segments = (await listSegments(store)).filter((number) => number >= start.firstSegment);
  const replay = new Replay(start.tree.clone(), checkpoint.size);
  for (const number of segments) await replay.segment(store, number);
  if (!replay.complete || !replay.tree.root().equals(checkpoint.root)) {
    throw new StoreDamaged(
      `${store} does not hold the ${checkpoint.size} entries that its checkpoint is signed for; gatehouse sessions verify says which record is at fault.`,
    );
  }
  return {
    ...(await cutUnsigned(store, { replay, segments, first: start.firstSegment }, log)),
    tree: replay.tree,
    streams: replay.streams,
  };
}

/** Reads entries until as many are there as the checkpoint says. */
class Replay {
  readonly tree: CompactRange;
  readonly streams = new Map<string, StreamHead>();
  readonly #size: number;
  /** Where the last entry ended that is signed for. */
  last: { number: number; end: number } | undefined;

  constructor(tree: CompactRange, size: number) {
    this.tree = tree;
    this.#size = size;
  }

  get complete(): boolean {
    return this.tree.size === this.#size;
  }

  async segment(store: string, number: number): Promise<void> {
    for await (const line of readSegment(layout.segment(store, number))) {
      if (this.complete) return;
      this.#entry(line, `${segmentName(number)} line ${line.number}`);
      this.last = { number, end: line.end };
    }
  }

  #entry(line: SegmentLine, place: string): void {
    const entry = line.whole ? parseEntry(line.bytes) : undefined;
    const [, stream, seq] = ENVELOPE.exec(entry?.record.toString('latin1', 0, MAX_ENVELOPE) ?? '') ?? [];
    if (entry === undefined || stream === undefined) throw new StoreDamaged(`${place} is no entry.`);
    this.tree.append(leafHash(line.bytes));
    this.streams.set(stream, { from: entry.from, next: Number(seq) + 1, head: bytesHash(entry.record) });
  }
}

/** A new store gets its key and the checkpoint of an empty log; one of another key is refused. */
async function claimStore(store: string, signer: NoteSigner): Promise<void> {
  const vkey = `${signer.verifier.vkey}\n`;
  const known = await readIfThere(layout.key(store));
  if (known === undefined) {
    if ((await listSegments(store)).length > 0)
      throw new StoreDamaged(`${store} has segments but no key.pub.`);
    await writeFileDurably(layout.checkpoint(store), signCheckpoint(new CompactRange(), signer));
    await writeFileDurably(layout.key(store), vkey);
  } else if (known !== vkey) {
    throw new StoreDamaged(
      `${store} was signed with another key (${known.trim()}); give the recorder that key, or an empty directory.`,
    );
  }
}

/** What lies beyond the checkpoint was never acknowledged: the proxies still have it and send it again. */
async function cutUnsigned(
  store: string,
  { replay, segments, first }: { replay: Replay; segments: readonly number[]; first: number },
  log: Logger,
): Promise<Pick<LogState, 'segment' | 'newest'>> {
  const { last } = replay;
  const newest = last?.number ?? first - 1;
  for (const number of segments.filter((each) => each > newest)) {
    log.warn({ segment: segmentName(number) }, 'removed a segment that was never signed for');
    await rm(layout.segment(store, number));
  }
  if (last === undefined) return { segment: undefined, newest };
  const { size } = await stat(layout.segment(store, last.number));
  if (size > last.end) {
    log.warn(
      { segment: segmentName(last.number), bytes: size - last.end },
      'cut off what was never signed for',
    );
  }
  const segment = await Segment.resume(layout.segment(store, last.number), last.number, last.end);
  const closed = await readIfThere(layout.segmentCheckpoint(store, last.number));
  if (closed === undefined) return { segment, newest };
  await segment.close();
  return { segment: undefined, newest };
}

async function removeUnfinished(store: string): Promise<void> {
  for (const directory of [store, layout.log(store)]) {
    const names = await readdir(directory);
    for (const name of names.filter((each) => each.endsWith(UNFINISHED))) await rm(join(directory, name));
  }
}
