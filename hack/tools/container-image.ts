/** Builds container images with buildah into archives; no registry is asked and no service runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

export interface ImageRecipe {
  /** Name and tag, such as `localhost/gatehouse:dev`. */
  readonly reference: string;
  /** Text of the Dockerfile. */
  readonly dockerfile: string;
  /** Folder that COPY and ADD read. */
  readonly context: string;
  readonly buildArguments?: Readonly<Record<string, string>>;
  /** Where the archive is written, as `docker save` writes it. */
  readonly archive: string;
}

export async function buildImage(recipe: ImageRecipe): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-image-'));
  // A store of its own: nothing is left in the machine's, and vfs works on every file system.
  const store = [
    '--root',
    join(scratch, 'root'),
    '--runroot',
    join(scratch, 'run'),
    '--storage-driver',
    'vfs',
  ];
  const buildah = (...args: string[]): Promise<string> => run('buildah', [...store, ...args]);
  try {
    const dockerfile = join(scratch, 'Dockerfile');
    writeFileSync(dockerfile, recipe.dockerfile);
    const buildArguments = Object.entries(recipe.buildArguments ?? {}).map(
      ([key, value]) => `--build-arg=${key}=${value}`,
    );
    await buildah(
      'build',
      '--isolation=chroot',
      `--file=${dockerfile}`,
      ...buildArguments,
      `--tag=${recipe.reference}`,
      recipe.context,
    );
    rmSync(recipe.archive, { force: true });
    await buildah('push', recipe.reference, `docker-archive:${recipe.archive}:${recipe.reference}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
