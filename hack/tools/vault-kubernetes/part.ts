/** The auth method of Vault that asks Kubernetes about tokens, which Vault without the engines of the clouds leaves out. */
import { cacheDirectory } from '../config.ts';
import { buildGo } from '../go-build.ts';
import { cachedPart } from '../part.ts';

const VERSION = '0.23.1';
export const KUBERNETES_AUTH = 'vault-plugin-auth-kubernetes';

export const vaultKubernetes = cachedPart(cacheDirectory, {
  name: 'vault-kubernetes',
  version: VERSION,
  about: `the Kubernetes auth method of Vault, ${VERSION}`,
  minutes: 2,
  files: [KUBERNETES_AUTH],
  build: (directory, say) =>
    buildGo(
      {
        module: 'vault-kubernetes',
        programs: [
          {
            name: KUBERNETES_AUTH,
            path: `github.com/hashicorp/${KUBERNETES_AUTH}/cmd/${KUBERNETES_AUTH}`,
          },
        ],
      },
      directory,
      say,
    ),
});
