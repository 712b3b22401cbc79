/** The cluster's DNS server. */
import { cacheDirectory } from '../config.ts';
import { buildGo } from '../go-build.ts';
import { cachedPart } from '../part.ts';

const VERSION = '1.14.0';

export const coredns = cachedPart(cacheDirectory, {
  name: 'coredns',
  version: VERSION,
  about: `CoreDNS ${VERSION}, with the plugins that a cluster needs`,
  minutes: 1,
  files: ['coredns'],
  build: (directory, say) =>
    buildGo({ module: 'coredns', programs: [{ name: 'coredns', path: '.' }] }, directory, say),
});
