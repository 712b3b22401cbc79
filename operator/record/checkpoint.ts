/** What a log signs: how many entries it has and the root of the tree over them (C2SP tlog-checkpoint). */
import { NoteInvalid } from './errors.ts';
import { CompactRange } from './merkle.ts';
import { decodeBase64, openNote, signNote, type NoteSigner, type NoteVerifier } from './note.ts';

const ROOT_BYTES = 32;
const SIZE = /^(0|[1-9]\d{0,15})$/;
const FIRST_SEGMENT = /^first-segment ([1-9]\d{0,7})$/;
const CLOSED = /^closed (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;
const SUBTREE = /^subtree ([A-Za-z0-9+/]+=?)$/;

export interface Checkpoint {
  readonly size: number;
  readonly root: Buffer;
  /** Extension lines. */
  readonly extensions: readonly string[];
}

export function signCheckpoint(
  tree: CompactRange,
  signer: NoteSigner,
  extensions: readonly string[] = [],
): string {
  const lines = [signer.verifier.name, String(tree.size), tree.root().toString('base64'), ...extensions];
  return signNote(`${lines.join('\n')}\n`, signer);
}

/** Throws NoteInvalid for anything but a checkpoint of this log, signed by it. */
export function openCheckpoint(note: string, verifier: NoteVerifier): Checkpoint {
  const [origin, size, root, ...rest] = openNote(note, verifier).split('\n');
  const bytes = root === undefined ? undefined : decodeBase64(root);
  if (origin !== verifier.name || size === undefined || !SIZE.test(size) || bytes?.length !== ROOT_BYTES) {
    throw new NoteInvalid(`It is no checkpoint of the log ${verifier.name}.`);
  }
  return { size: Number(size), root: bytes, extensions: rest.slice(0, -1) };
}

/** The checkpoint of a closed segment says when it was closed: by the recorder's clock, and signed. */
export function signSegmentEnd(tree: CompactRange, closedAt: number, signer: NoteSigner): string {
  return signCheckpoint(tree, signer, [`closed ${new Date(closedAt).toISOString()}`]);
}

export interface SegmentEnd {
  readonly size: number;
  readonly root: Buffer;
  /** Milliseconds since the epoch. */
  readonly closedAt: number;
}

/** Throws NoteInvalid when the note is not signed by this log or does not say when. */
export function openSegmentEnd(note: string, verifier: NoteVerifier): SegmentEnd {
  const { size, root, extensions } = openCheckpoint(note, verifier);
  const [, closed] = CLOSED.exec(extensions[0] ?? '') ?? [];
  if (closed === undefined) throw new NoteInvalid('It does not say when the segment was closed.');
  return { size, root, closedAt: Date.parse(closed) };
}

/** Where a log begins whose oldest segments have been dropped for their age. */
export interface LogStart {
  readonly firstSegment: number;
  /** The tree over all that was dropped. */
  readonly tree: CompactRange;
}

export function signStart(start: LogStart, signer: NoteSigner): string {
  const subtrees = start.tree.subtrees.map(({ hash }) => `subtree ${hash.toString('base64')}`);
  return signCheckpoint(start.tree, signer, [`first-segment ${start.firstSegment}`, ...subtrees]);
}

/** Throws NoteInvalid when the note is not signed by this log or does not add up. */
export function openStart(note: string, verifier: NoteVerifier): LogStart {
  const { size, root, extensions } = openCheckpoint(note, verifier);
  const [, segment] = FIRST_SEGMENT.exec(extensions[0] ?? '') ?? [];
  const hashes = extensions
    .slice(1)
    .map((line) => decodeBase64(SUBTREE.exec(line)?.[1] ?? '') ?? Buffer.alloc(0));
  const tree = CompactRange.from(size, hashes);
  if (segment === undefined || tree?.root().equals(root) !== true) {
    throw new NoteInvalid('It does not say where the log begins.');
  }
  return { firstSegment: Number(segment), tree };
}
