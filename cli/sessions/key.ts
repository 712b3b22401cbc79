/** Which key a store is verified with. */
import { readFile } from 'node:fs/promises';
import { sentenceOf } from '../../lib/errors.ts';
import { readIfThere } from '../../operator/record/files.ts';
import { layout } from '../../operator/record/layout.ts';
import { parseVkey, type NoteVerifier } from '../../operator/record/note.ts';
import { UsageError } from '../io.ts';
import { RecordFault } from './fault.ts';

export interface TrustedKey {
  readonly verifier: NoteVerifier;
  /** False when the store's own word was taken for it. */
  readonly pinned: boolean;
}

/** `given` is a verifier key or a file that holds one. Throws UsageError when it is neither. */
export async function readKey(given: string): Promise<NoteVerifier> {
  const text = given.includes('+') ? given : await readFile(given, 'utf8').catch(() => given);
  try {
    return parseVkey(text.trim());
  } catch (error) {
    throw new UsageError(`--key is neither a verifier key nor a file that holds one: ${sentenceOf(error)}`);
  }
}

/** The pinned key, which the store must not contradict, or else the store's own. Throws RecordFault. */
export async function keyOf(store: string, pinned: NoteVerifier | undefined): Promise<TrustedKey> {
  const file = 'key.pub';
  const text = await readIfThere(layout.key(store));
  if (pinned !== undefined) {
    if (text !== undefined && text !== `${pinned.vkey}\n`)
      throw new RecordFault({ file }, 'it is not the key that was given');
    return { verifier: pinned, pinned: true };
  }
  if (text === undefined) throw new RecordFault({ file }, 'it is missing; name the key with --key');
  return { verifier: parseStored(text, file), pinned: false };
}

function parseStored(text: string, file: string): NoteVerifier {
  try {
    if (!text.endsWith('\n')) throw new RecordFault({ file }, 'it was cut short');
    return parseVkey(text.slice(0, -1));
  } catch (error) {
    if (error instanceof RecordFault) throw error;
    throw new RecordFault({ file }, sentenceOf(error));
  }
}
