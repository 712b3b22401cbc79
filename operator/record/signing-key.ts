/** The key that signs checkpoints, in a file of its own. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileDurably } from '../../lib/durable-file.ts';
import { NoteInvalid } from './errors.ts';
import { isMissing } from './files.ts';
import { signerOf, type NoteSigner } from './note.ts';

/** What the names of recorders' keys, and so the origins of their logs, begin with. */
const ORIGIN = 'gatehouse.dev/recorder';

/** Reads the key, and makes one (readable by its owner alone) when the file is not there. Throws NoteInvalid. */
export async function loadSigner(path: string): Promise<NoteSigner> {
  const pem = await readFile(path, 'utf8').catch(async (error: unknown) => {
    if (!isMissing(error)) throw error;
    return makeKey(path);
  });
  try {
    return signerOf(pem, ORIGIN);
  } catch (error) {
    if (error instanceof NoteInvalid) throw error;
    throw new NoteInvalid(`${path} holds no private key in PEM.`, { cause: error });
  }
}

async function makeKey(path: string): Promise<string> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileDurably(path, pem, 0o600);
  return pem;
}
