/** Keys of the installation on disk: made once, readable by their owner alone. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { writeFileDurably } from '../../lib/durable-file.ts';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';

/** A key file that is there cannot be used. Making a new one would silently invalidate what the old one protects. */
export class KeyFileError extends GatehouseError {
  readonly code = 'bad_key_file';
}

/** What the file holds, or what `make` returns, which is then kept there. */
export async function keptJson<T>(path: string, schema: z.ZodType<T>, make: () => T): Promise<T> {
  const text = await readIfThere(path);
  if (text === undefined) {
    const made = make();
    await writeFileDurably(path, JSON.stringify(made, undefined, 2));
    return made;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new KeyFileError(
      `The key file ${path} is damaged; restore it, or remove it to begin with new keys.`,
      { cause },
    );
  }
}

/** The text of a file, `undefined` when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new KeyFileError(`The key file ${path} cannot be read: ${sentenceOf(cause)}.`, { cause });
  }
}

/** 32 random bytes, base64. */
export function newKey(): string {
  return randomBytes(32).toString('base64');
}
