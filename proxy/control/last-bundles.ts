/** The last bundles, kept so that a proxy that starts while the operator is away guards as it did before. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { bundle, type Bundle } from '#bundle';
import { makePrivateDirectory, writeFileDurably } from '../../lib/durable-file.ts';

export interface LastBundles {
  /** What was kept, undefined where nothing was or it cannot be read: then only the operator can say. */
  load(): Promise<readonly Bundle[] | undefined>;
  /** Bundles hold sealing keys, so the file is its owner's alone. */
  keep(bundles: readonly Bundle[]): Promise<void>;
}

const kept = z.array(bundle);

export function lastBundlesIn(directory: string): LastBundles {
  const path = join(directory, 'bundles.json');
  return {
    load: async () => {
      try {
        const read = kept.safeParse(JSON.parse(await readFile(path, 'utf8')));
        return read.success ? read.data : undefined;
      } catch {
        return undefined;
      }
    },
    keep: async (bundles) => {
      await makePrivateDirectory(directory);
      await writeFileDurably(path, JSON.stringify(bundles));
    },
  };
}
