/** Who may write: tokens are known by their SHA-256 only. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { freshFile } from '../../lib/fresh-file.ts';
import { isWriterName } from './entry.ts';

const tokensFile = z.record(
  z.string().regex(/^[0-9a-f]{64}$/),
  z.object({ name: z.string().refine(isWriterName, 'a name has letters, digits and . _ : / @ - only') }),
);

/** Finds the writer that a bearer token belongs to. */
export type FindWriter = (token: string) => Promise<string | undefined>;

/**
 * Reads a JSON object of `{"<SHA-256 of the token, hex>": {"name": …}}`, again whenever the file changes. While the
 * file cannot be read nobody is let in: the returned function rejects.
 */
export function writersFrom(path: string): FindWriter {
  const writers = freshFile(path, parseTokens);
  return async (token) => {
    const shown = createHash('sha256').update(token).digest();
    let found: string | undefined;
    // Every entry is compared, so that the time says nothing about which one fits.
    for (const { hash, name } of await writers()) {
      if (timingSafeEqual(hash, shown)) found = name;
    }
    return found;
  };
}

function parseTokens(text: string): { hash: Buffer; name: string }[] {
  const tokens = tokensFile.parse(JSON.parse(text));
  return Object.entries(tokens).map(([hash, { name }]) => ({ hash: Buffer.from(hash, 'hex'), name }));
}
