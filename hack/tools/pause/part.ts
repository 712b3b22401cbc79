/** The sandbox image: the process that holds a pod's namespaces. */
import { join } from 'node:path';
import { cacheDirectory } from '../config.ts';
import { buildGo } from '../go-build.ts';
import { buildImage } from '../container-image.ts';
import { cachedPart } from '../part.ts';

/** The image that every pod's sandbox runs. */
export const PAUSE_IMAGE = 'localhost/gatehouse-pause:1';

export const pause = cachedPart(cacheDirectory, {
  name: 'pause',
  version: '1',
  about: 'the image of the process that holds a pod together',
  minutes: 1,
  files: ['pause', 'image.tar'],
  build: async (directory, say) => {
    await buildGo({ module: 'pause', programs: [{ name: 'pause', path: '.' }] }, directory, say);
    await buildImage({
      reference: PAUSE_IMAGE,
      dockerfile: 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n',
      context: directory,
      archive: join(directory, 'image.tar'),
    });
  },
});
