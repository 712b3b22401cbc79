/** One session as a file that proves itself: its entries, and for each the way to a root that the recorder signed. */
import { openCheckpoint } from '../../operator/record/checkpoint.ts';
import { readIfThere } from '../../operator/record/files.ts';
import { layout, listSegments } from '../../operator/record/layout.ts';
import { leafHash } from '../../operator/record/merkle.ts';
import { parseEntry } from '../../operator/record/entry.ts';
import { parseRecordLine } from '../../operator/record/record-line.ts';
import { readStart } from '../../operator/record/retention.ts';
import { readSegment } from '../../operator/record/segment-reader.ts';
import { RecordFault } from './fault.ts';
import { belongsTo } from './find.ts';
import { ProofTree } from './inclusion.ts';
import { keyOf } from './key.ts';
import type { Summary } from './summary.ts';

export const EXPORT_FORMAT = 'gatehouse.dev/session-export/v1';

/** Writes one header line and one line a record. Throws RecordFault when the store does not lead to its checkpoint. */
export async function exportSession(
  store: string,
  summary: Summary,
  write: (text: string) => void,
): Promise<void> {
  const { verifier } = await keyOf(store, undefined);
  const note = (await readIfThere(layout.checkpoint(store))) ?? '';
  const { size, root } = openCheckpoint(note, verifier);
  const start = await readStart(store, verifier);
  const tree = new ProofTree(start.tree.subtrees);
  const log = { store, firstSegment: start.firstSegment, from: start.tree.size, to: size };

  for await (const { bytes } of entriesOf(log)) tree.append(leafHash(bytes), isOf(bytes, summary));
  const { root: reached, paths } = tree.finish();
  if (reached === undefined || !reached.equals(root)) {
    throw new RecordFault(
      { file: 'checkpoint' },
      'the records do not lead to it; "gatehouse sessions verify" says where they break',
    );
  }

  const { session, gateway } = summary;
  write(
    `${JSON.stringify({ format: EXPORT_FORMAT, session, gateway, key: verifier.vkey, checkpoint: note })}\n`,
  );
  const rest = paths.values();
  for await (const { index, bytes } of entriesOf(log)) {
    if (!isOf(bytes, summary)) continue;
    const proof = (rest.next().value ?? []).map((hash) => hash.toString('base64'));
    write(`{"index":${index},"proof":${JSON.stringify(proof)},"entry":${bytes.toString('utf8')}}\n`);
  }
}

/** The entries that the checkpoint is signed for, and nothing beyond. */
async function* entriesOf(log: {
  store: string;
  firstSegment: number;
  from: number;
  to: number;
}): AsyncGenerator<{ index: number; bytes: Buffer }, void, undefined> {
  let index = log.from;
  for (const number of await listSegments(log.store)) {
    if (number < log.firstSegment) continue;
    for await (const { bytes } of readSegment(layout.segment(log.store, number))) {
      if (index === log.to) return;
      yield { index, bytes };
      index += 1;
    }
  }
}

function isOf(bytes: Buffer, summary: Summary): boolean {
  const entry = parseEntry(bytes);
  if (entry === undefined) return false;
  try {
    return belongsTo({ from: entry.from, line: parseRecordLine(entry.record), bytes }, summary);
  } catch {
    // Damaged: then the root is not reached, and nothing is exported.
    return false;
  }
}
