/** A directory of manifests → its snapshot, or what is wrong with it. */
import { parseManifests, type Environment, type ManifestProblem } from '#crds';
import { readManifestFiles, type DirectoryContent } from './files.ts';
import { snapshotOf, type Snapshot } from './snapshot.ts';

export interface Loaded {
  /** Absent where there is a problem: a directory is in force as a whole or not at all. */
  readonly snapshot?: Snapshot;
  readonly problems: readonly ManifestProblem[];
  readonly warnings: readonly string[];
}

/** Reads a directory once, as `gatehouse try` does. Never throws; a directory that cannot be read is a problem. */
export async function loadDirectory(directory: string, environment: Environment): Promise<Loaded> {
  return load(await readManifestFiles(directory), environment);
}

export function load(content: DirectoryContent, environment: Environment): Loaded {
  const { objects, configMaps, problems, warnings } = parseManifests(content.files, { environment });
  const all = [...content.problems, ...problems];
  if (all.length > 0) return { problems: all, warnings };
  return { snapshot: snapshotOf(objects, { configMaps }), problems: [], warnings };
}
