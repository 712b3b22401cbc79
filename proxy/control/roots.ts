/** What vouches for the operator and the recorder: what came with the pod, and then what the operator says of it. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makePrivateDirectory, writeFileDurably } from '../../lib/durable-file.ts';
import { GatehouseError } from '../../lib/errors.ts';
import { freshFile } from '../../lib/fresh-file.ts';
import { areCertificates } from '../../lib/pem.ts';

/** What was said to be certificates is none. What was trusted before stays trusted. */
export class BadRoots extends GatehouseError {
  readonly code = 'bad_roots';
}

export interface Roots {
  /** PEM. */
  readonly current: () => Promise<string>;
  /** Trusts these from now on, and after a restart, in place of those before. Throws BadRoots. */
  take(pem: string): Promise<void>;
}

export interface RootsOptions {
  readonly caFile: string;
  /** What the file holds at first; undefined where the file is another's, who then keeps it. */
  readonly ca: string | undefined;
}

export async function openRoots({ caFile, ca }: RootsOptions): Promise<Roots> {
  const current = freshFile(caFile, (text) => text);
  if (ca === undefined) return { current, take: () => Promise.resolve() };
  await makePrivateDirectory(dirname(caFile));
  // A container that starts again finds what the operator said last; its environment is as old as its pod.
  if (!(await holdsRoots(caFile))) await writeFileDurably(caFile, ca);
  return {
    current,
    take: async (pem) => {
      if (!areCertificates(pem))
        throw new BadRoots('What the operator says of its roots is no list of certificates.');
      if (pem !== (await current())) await writeFileDurably(caFile, pem);
    },
  };
}

async function holdsRoots(file: string): Promise<boolean> {
  try {
    return areCertificates(await readFile(file, 'utf8'));
  } catch {
    return false;
  }
}
