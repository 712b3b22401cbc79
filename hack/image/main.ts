/**
 * Builds the image into an archive that `docker load`, `podman load` and `ctr images import` read.
 *
 *   node hack/image/main.ts [--base IMAGE] [--tag NAME] [--out FILE]
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../tools/command.ts';
import { cacheDirectory } from '../tools/config.ts';
import { buildGatehouseImage, GATEHOUSE_IMAGE } from './build.ts';

process.exitCode = await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      base: { type: 'string' },
      tag: { type: 'string', default: GATEHOUSE_IMAGE },
      out: { type: 'string', default: join(cacheDirectory, 'images', 'gatehouse.tar') },
    },
  });
  const { bytesWithoutBase } = await buildGatehouseImage({
    reference: values.tag,
    archive: values.out,
    ...(values.base === undefined ? {} : { base: values.base }),
  });
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(
    `${values.tag}: ${megabytes(bytesWithoutBase)} on a base, ${megabytes(statSync(values.out).size)} in all`,
  );
  console.log(values.out);
});
