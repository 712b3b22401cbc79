/**
 * Builds the image into an archive that `docker load`, `podman load` and `ctr images import` read.
 *
 *   node hack/image/main.ts [--base IMAGE] [--tag NAME] [--out FILE]
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory } from '../tools/config.ts';
import { CommandFailed } from '../tools/run.ts';
import { buildGatehouseImage, GATEHOUSE_IMAGE, ImageError } from './build.ts';

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    tag: { type: 'string', default: GATEHOUSE_IMAGE },
    out: { type: 'string', default: join(cacheDirectory, 'images', 'gatehouse.tar') },
  },
});
try {
  const { bytesWithoutBase } = await buildGatehouseImage({
    reference: values.tag,
    archive: values.out,
    ...(values.base === undefined ? {} : { base: values.base }),
  });
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  console.log(
    `${values.tag}: ${megabytes(bytesWithoutBase)} MB on a base, ${megabytes(statSync(values.out).size)} MB in all`,
  );
  console.log(values.out);
} catch (error) {
  if (!(error instanceof ImageError || error instanceof CommandFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
