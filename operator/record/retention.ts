/** Dropping the oldest segments without breaking the proof of the rest. */
import { readFile, rm } from 'node:fs/promises';
import { writeFileDurably } from '../../lib/durable-file.ts';
import { openSegmentEnd, openStart, signStart, type LogStart, type SegmentEnd } from './checkpoint.ts';
import { StoreDamaged } from './errors.ts';
import { readIfThere } from './files.ts';
import { layout, listSegments } from './layout.ts';
import { CompactRange, leafHash } from './merkle.ts';
import type { NoteSigner, NoteVerifier } from './note.ts';
import { readSegment } from './segment-reader.ts';

interface Expiry {
  readonly store: string;
  readonly signer: NoteSigner;
  /** Segments closed before this are dropped, milliseconds since the epoch. */
  readonly before: number;
  /** The open segment, which stays. */
  readonly keep: number | undefined;
}

/**
 * Drops whole segments from the front and returns how many. First a signed `start` says where the log begins now,
 * with the subtrees that stand for what went; only then the files go, so that a crash in between leaves too much.
 */
export async function dropExpired({ store, signer, before, keep }: Expiry): Promise<number> {
  const segments = await listSegments(store);
  const start = await readStart(store, signer.verifier);
  const first = start.firstSegment;
  for (const leftBehind of segments.filter((number) => number < first))
    await removeSegment(store, leftBehind);

  let dropped = 0;
  let tree = start.tree;
  for (const number of segments.filter((each) => each >= first)) {
    if (number === keep) break;
    const end = openSegmentEnd(
      await readFile(layout.segmentCheckpoint(store, number), 'utf8'),
      signer.verifier,
    );
    if (end.closedAt >= before) break;
    tree = await treeAfter(tree, layout.segment(store, number), end);
    await writeFileDurably(layout.start(store), signStart({ firstSegment: number + 1, tree }, signer));
    await removeSegment(store, number);
    dropped += 1;
  }
  return dropped;
}

/** Where the log begins. Throws NoteInvalid when `start` is not what this log signed. */
export async function readStart(store: string, verifier: NoteVerifier): Promise<LogStart> {
  const note = await readIfThere(layout.start(store));
  return note === undefined ? { firstSegment: 1, tree: new CompactRange() } : openStart(note, verifier);
}

/** Nothing is dropped, and nothing signed, that is not what was signed when the segment was closed. */
async function treeAfter(tree: CompactRange, path: string, end: SegmentEnd): Promise<CompactRange> {
  const grown = tree.clone();
  for await (const line of readSegment(path)) grown.append(leafHash(line.bytes));
  if (grown.size === end.size && grown.root().equals(end.root)) return grown;
  throw new StoreDamaged(`${path} is not what was signed when it was closed; it is kept.`);
}

async function removeSegment(store: string, number: number): Promise<void> {
  await rm(layout.segmentCheckpoint(store, number), { force: true });
  await rm(layout.segment(store, number), { force: true });
}
