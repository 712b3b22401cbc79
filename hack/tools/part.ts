/** A part that tests need and npm does not bring: built or installed once, cached outside the checkout by version. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GatehouseError } from '../../lib/errors.ts';

export interface Part {
  readonly name: string;
  readonly version: string;
  /** What it is for, in a few words. */
  readonly about: string;
  /** About how long it takes on two cores, in minutes. */
  readonly minutes: number;
  readonly isPresent: () => boolean;
  /** Brings it; a second call after an interruption goes on where that is possible. Throws PartError. */
  readonly bring: (say: (progress: string) => void) => Promise<void>;
}

/** A part that lies in the cache as a directory of files. */
export interface CachedPart extends Part {
  /** The path of one of its files. */
  readonly file: (name: string) => string;
}

/** Why a part could not be brought: one sentence that says what to do. */
export class PartError extends GatehouseError {
  readonly code = 'part_not_brought';
}

interface CachedRecipe extends Pick<Part, 'name' | 'version' | 'about' | 'minutes'> {
  /** The files that it consists of; it is present when all of them are. */
  readonly files: readonly string[];
  /** Writes the files into the directory. */
  readonly build: (directory: string, say: (progress: string) => void) => Promise<void>;
}

/** Builds into a directory of its own and renames it when complete, so that what lies in the cache is whole. */
export function cachedPart(cache: string, recipe: CachedRecipe): CachedPart {
  const id = `${recipe.name}-${recipe.version}`;
  const home = join(cache, id);
  return {
    ...recipe,
    file: (name) => join(home, name),
    isPresent: () => recipe.files.every((name) => existsSync(join(home, name))),
    bring: async (say) => {
      removeUnfinished(cache, id);
      const unfinished = `${home}.unfinished-${process.pid}`;
      mkdirSync(unfinished, { recursive: true });
      try {
        await recipe.build(unfinished, say);
        rmSync(home, { recursive: true, force: true });
        renameSync(unfinished, home);
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
    },
  };
}

/** What an earlier run left when it was killed; another run that is still at work keeps its own. */
function removeUnfinished(cache: string, id: string): void {
  mkdirSync(cache, { recursive: true });
  const prefix = `${id}.unfinished-`;
  for (const entry of readdirSync(cache)) {
    if (!entry.startsWith(prefix) || existsSync(`/proc/${entry.slice(prefix.length)}`)) continue;
    rmSync(join(cache, entry), { recursive: true, force: true });
  }
}
