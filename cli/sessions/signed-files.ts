/** The signed notes of a store, each either as its key signed it or a RecordFault that names the file. */
import { join } from 'node:path';
import { sentenceOf } from '../../lib/errors.ts';
import {
  openCheckpoint,
  openSegmentEnd,
  openStart,
  type Checkpoint,
  type LogStart,
  type SegmentEnd,
} from '../../operator/record/checkpoint.ts';
import { readIfThere } from '../../operator/record/files.ts';
import { layout, segmentName } from '../../operator/record/layout.ts';
import { CompactRange } from '../../operator/record/merkle.ts';
import type { NoteVerifier } from '../../operator/record/note.ts';
import { RecordFault } from './fault.ts';

/** Where a file of the log lies within the store, for messages. */
export function logFile(name: string): string {
  return join('log', name);
}

export function segmentEndFile(number: number): string {
  return logFile(segmentName(number).replace('.jsonl', '.checkpoint'));
}

export async function readCheckpoint(store: string, verifier: NoteVerifier): Promise<Checkpoint> {
  const file = 'checkpoint';
  const note = await readIfThere(layout.checkpoint(store));
  if (note === undefined) throw new RecordFault({ file }, 'it is missing');
  return opened(file, () => openCheckpoint(note, verifier));
}

export async function readLogStart(store: string, verifier: NoteVerifier): Promise<LogStart> {
  const note = await readIfThere(layout.start(store));
  if (note === undefined) return { firstSegment: 1, tree: new CompactRange() };
  return opened(logFile('start'), () => openStart(note, verifier));
}

/** Undefined when the segment has not been closed, or its file is gone. */
export async function readSegmentEnd(
  store: string,
  number: number,
  verifier: NoteVerifier,
): Promise<SegmentEnd | undefined> {
  const note = await readIfThere(layout.segmentCheckpoint(store, number));
  return note === undefined
    ? undefined
    : opened(segmentEndFile(number), () => openSegmentEnd(note, verifier));
}

function opened<T>(file: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new RecordFault({ file }, sentenceOf(error));
  }
}
