/** Verifies an exported session with nothing but the file and a key. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { sentenceOf } from '../../lib/errors.ts';
import { openCheckpoint, type Checkpoint } from '../../operator/record/checkpoint.ts';
import { leafHash } from '../../operator/record/merkle.ts';
import { decodeBase64, parseVkey, type NoteVerifier } from '../../operator/record/note.ts';
import { checkEntry, type CheckedEntry } from './check-entry.ts';
import { EXPORT_FORMAT } from './export.ts';
import { RecordFault } from './fault.ts';
import { rootFromPath } from './inclusion.ts';
import type { Verified } from './verify.ts';

const header = z.object({
  format: z.literal(EXPORT_FORMAT),
  session: z.string(),
  gateway: z.string(),
  key: z.string(),
  checkpoint: z.string(),
});

/** Before the entry, which follows byte for byte. */
const LINE = /^\{"index":(0|[1-9]\d{0,15}),"proof":\[((?:"[A-Za-z0-9+/]{43}=",?)*)\],"entry":/;

export type VerifiedExport = Verified & { readonly session: string };

interface Export {
  readonly file: string;
  readonly session: string;
  readonly verifier: NoteVerifier;
  readonly pinned: boolean;
  readonly checkpoint: Checkpoint;
}

/** Throws RecordFault naming the first line that is wrong, and errors of the disk. */
export async function verifyExport(file: string, key: NoteVerifier | undefined): Promise<VerifiedExport> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  const streams = new Map<string, number>();
  let about: Export | undefined;
  let number = 0;
  for await (const text of lines) {
    number += 1;
    if (about === undefined) about = readHeader(text, file, key);
    else inOrder(checkLine(text, number, about), streams);
  }
  if (about === undefined || number < 2) throw new RecordFault({ file }, 'it holds no records');
  const { verifier, pinned, session, checkpoint } = about;
  return {
    session,
    records: number - 1,
    streams: streams.size,
    size: checkpoint.size,
    key: verifier.vkey,
    pinned,
  };
}

function readHeader(text: string, file: string, key: NoteVerifier | undefined): Export {
  try {
    const { session, key: own, checkpoint } = header.parse(JSON.parse(text));
    const verifier = key ?? parseVkey(own);
    if (verifier.vkey !== own)
      throw new RecordFault({ file, line: 1 }, 'it is not signed with the key that was given');
    return {
      file,
      session,
      verifier,
      pinned: key !== undefined,
      checkpoint: openCheckpoint(checkpoint, verifier),
    };
  } catch (error) {
    if (error instanceof RecordFault) throw error;
    throw new RecordFault(
      { file, line: 1 },
      `it is not the header of an exported session: ${sentenceOf(error)}`,
    );
  }
}

function checkLine(text: string, number: number, about: Export): CheckedEntry {
  const at = { file: about.file, line: number };
  const [head, index, proof] = LINE.exec(text) ?? [];
  if (head === undefined || proof === undefined || !text.endsWith('}')) {
    throw new RecordFault(at, 'it does not have the form of an exported record');
  }
  const entry = Buffer.from(text.slice(head.length, -1));
  const checked = checkEntry(entry, at);
  const path = (proof.match(/[A-Za-z0-9+/]{43}=/g) ?? []).map(
    (hash) => decodeBase64(hash) ?? Buffer.alloc(0),
  );
  const root = rootFromPath(leafHash(entry), { index: Number(index), size: about.checkpoint.size }, path);
  if (root?.equals(about.checkpoint.root) !== true) {
    throw new RecordFault(checked.place, 'its proof does not lead to the root that was signed');
  }
  if ((checked.line.event.session ?? '-') !== about.session) {
    throw new RecordFault(checked.place, `it is of another session than ${about.session}`);
  }
  return checked;
}

/** Records of a stream may be apart, for other sessions lie between them, but never out of order. */
function inOrder({ line, place }: CheckedEntry, streams: Map<string, number>): void {
  if (line.seq <= (streams.get(line.stream) ?? -1))
    throw new RecordFault(place, 'it is out of order or doubled');
  streams.set(line.stream, line.seq);
}
