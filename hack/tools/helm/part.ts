/** helm, which installs the chart. */
import { cacheDirectory } from '../config.ts';
import { buildGo } from '../go-build.ts';
import { cachedPart } from '../part.ts';

const VERSION = '3.22.0';

export const helm = cachedPart(cacheDirectory, {
  name: 'helm',
  version: VERSION,
  about: `helm ${VERSION}`,
  minutes: 3,
  files: ['helm'],
  build: (directory, say) =>
    buildGo(
      {
        module: 'helm',
        programs: [{ name: 'helm', path: 'helm.sh/helm/v3/cmd/helm' }],
        variables: { 'helm.sh/helm/v3/internal/version.version': `v${VERSION}` },
      },
      directory,
      say,
    ),
});
