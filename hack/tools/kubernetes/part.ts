/** The control plane, the kubelet and kubectl. */
import { cacheDirectory } from '../config.ts';
import { buildGo } from '../go-build.ts';
import { cachedPart } from '../part.ts';

const VERSION = '1.34.4';

const PROGRAMS = [
  'kube-apiserver',
  'kubelet',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubectl',
] as const;

export const kubernetes = cachedPart(cacheDirectory, {
  name: 'kubernetes',
  version: VERSION,
  about: `Kubernetes ${VERSION} (${PROGRAMS.join(', ')})`,
  minutes: 12,
  files: PROGRAMS,
  build: (directory, say) =>
    buildGo(
      {
        module: 'kubernetes',
        programs: PROGRAMS.map((name) => ({ name, path: `k8s.io/kubernetes/cmd/${name}` })),
        // Without a version the programs call themselves v0.0.0-master, which kubectl and helm cannot compare.
        variables: {
          'k8s.io/component-base/version.gitVersion': `v${VERSION}`,
          'k8s.io/component-base/version.gitMajor': '1',
          'k8s.io/component-base/version.gitMinor': '34',
        },
      },
      directory,
      say,
    ),
});
