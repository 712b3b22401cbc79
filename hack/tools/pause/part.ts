/** The process that holds a pod's namespaces. */
import { cacheDirectory } from '../config.ts';
import { buildGo } from '../go-build.ts';
import { cachedPart } from '../part.ts';

export const pause = cachedPart(cacheDirectory, {
  name: 'pause',
  version: '1',
  about: 'the program of the sandbox image',
  minutes: 1,
  files: ['pause'],
  build: (directory, say) =>
    buildGo({ module: 'pause', programs: [{ name: 'pause', path: '.' }] }, directory, say),
});
