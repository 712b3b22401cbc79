/** The image of Gatehouse: the bundle, on a base. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GatehouseError } from '../../lib/errors.ts';
import { buildImage } from '../tools/container-image.ts';
import { debian, imageBase, missingSentence } from '../tools/parts.ts';
import { bundle } from './bundle.ts';
import { warm } from './warm.ts';

/** What the image is called unless told otherwise. */
export const GATEHOUSE_IMAGE = 'localhost/gatehouse:dev';

/** The user that the network rules exempt; the Dockerfile names it too. */
const USER = 64311;

class ImageError extends GatehouseError {
  readonly code = 'image_not_built';
}

interface ImageOptions {
  readonly reference: string;
  /** Where the archive is written. */
  readonly archive: string;
  /** An image that buildah can pull, or a transport and a path; by default the one that `make tools` makes. */
  readonly base?: string;
}

/** Throws ImageError when a part is missing, CommandFailed when buildah refuses. */
export async function buildGatehouseImage(options: ImageOptions): Promise<{ bytesWithoutBase: number }> {
  const missing = missingSentence(options.base === undefined ? [debian, imageBase] : [debian]);
  if (missing !== undefined) throw new ImageError(missing);
  const context = mkdtempSync(join(tmpdir(), 'gatehouse-bundle-'));
  try {
    const program = join(context, 'opt/gatehouse');
    await bundle(program);
    // The network container is root, without its capabilities.
    await warm(program, [USER, 0]);
    mkdirSync(join(context, 'bin'));
    symlinkSync('/opt/gatehouse/main.mjs', join(context, 'bin/gatehouse'));
    writeAccounts(join(context, 'etc'));
    mkdirSync(dirname(options.archive), { recursive: true });
    await buildImage({
      reference: options.reference,
      dockerfile: readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8'),
      context,
      buildArguments: { BASE: options.base ?? `docker-archive:${imageBase.file('image.tar')}` },
      archive: options.archive,
    });
    return { bytesWithoutBase: sizeOf(program) };
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Without an account, a container that states only the user's number would run with group 0. */
function writeAccounts(directory: string): void {
  mkdirSync(directory);
  const accounts = ['root:x:0:0:', 'nobody:x:65534:65534:', `gatehouse:x:${USER}:${USER}:`];
  writeFileSync(
    join(directory, 'passwd'),
    accounts.map((account) => `${account}:/:/sbin/nologin\n`).join(''),
  );
  writeFileSync(join(directory, 'group'), `root:x:0:\nnogroup:x:65534:\ngatehouse:x:${USER}:\n`);
}

function sizeOf(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
