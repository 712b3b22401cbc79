/** What the operator shows as a server: certificates that it issues itself, or files that somebody else keeps. */
import { readFile } from 'node:fs/promises';
import type { KeyPair } from '../../lib/certificates.ts';
import { certificatesIn } from '../../lib/pem.ts';
import type { TlsFiles } from '../config.ts';
import { CertificatesError, createCertificateKeeper } from '../inject/certificate-keeper.ts';
import { rootsOf } from '../inject/certificate-plan.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';

export interface ServerIdentity extends KeyPair {
  /** What sidecars are to trust, PEM. */
  readonly roots: string;
  readonly probeKey: string;
}

const CONFIGURATIONS = 'gatehouse';
const RECORDER_SECRET = 'gatehouse-recorder-tls';

/** Asked at the start and every minute; throws where neither the API server nor the files answer. */
export function createServerIdentity(
  options: { readonly namespace: string; readonly tls: TlsFiles | undefined },
  { client, now }: { client: Pick<KubeClient, 'request'>; now: () => number },
): () => Promise<ServerIdentity> {
  const { namespace, tls } = options;
  const recent = recentRoots();
  const keeper = createCertificateKeeper(
    {
      namespace,
      servers: {
        operator: hostsOf('gatehouse-operator', namespace),
        recorder: hostsOf('gatehouse-recorder', namespace),
      },
      // Who keeps the operator's certificate keeps the recorder's and the roots of the webhooks as well.
      ...(tls === undefined
        ? { secrets: { recorder: RECORDER_SECRET }, webhooks: CONFIGURATIONS }
        : { secrets: {}, webhooks: undefined }),
    },
    { client, now },
  );
  return async () => {
    const certificates = await keeper.refresh();
    const { probeKey } = certificates;
    if (tls !== undefined) {
      const files = await readFiles(tls);
      return { ...files, roots: recent(files.roots), probeKey };
    }
    const own = certificates.leaves['operator'];
    if (own === undefined) throw new CertificatesError('There is no certificate of the operator.');
    return { ...own, roots: rootsOf(certificates), probeKey };
  };
}

function hostsOf(service: string, namespace: string): string[] {
  return [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];
}

/**
 * The roots of now and those before them. Whoever keeps the files replaces a root in one step, and another server of
 * the installation, or another replica, shows for a while what the root before vouches for.
 */
function recentRoots(): (roots: string) => string {
  let [before, current] = ['', ''];
  return (roots) => {
    if (roots !== current) [before, current] = [current, roots];
    return [...new Set(certificatesIn(`${before}\n${current}`))].map((pem) => `${pem}\n`).join('');
  };
}

async function readFiles({ certFile, keyFile, caFile }: TlsFiles): Promise<Omit<ServerIdentity, 'probeKey'>> {
  const [cert, key, roots] = await Promise.all(
    [certFile, keyFile, caFile].map((file) => readFile(file, 'utf8')),
  );
  return { cert: cert ?? '', key: key ?? '', roots: roots ?? '' };
}
