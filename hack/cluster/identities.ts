/** Who is who in a cluster: writes the keys, certificates and kubeconfigs of all its parts. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, createSigningKey, type Authority, type KeyAndCertificate } from './certificates.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { ADDRESSES, families, type Layout } from './layout.ts';

/** Users of the API, by the name of their kubeconfig. The node's own name is what the node authorizer goes by. */
const users = (layout: Layout): Readonly<Record<string, { commonName: string; organization?: string }>> => ({
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
  'kube-proxy': { commonName: 'system:kube-proxy' },
  coredns: { commonName: 'system:coredns' },
  kubelet: { commonName: `system:node:${layout.node}`, organization: 'system:nodes' },
});

const apiServerNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'localhost',
];

/** `port` is where the machine's own loopback leads to the API server. */
export async function writeIdentities(layout: Layout, port: number): Promise<void> {
  const authority = await createAuthority(`gatehouse-${layout.name}`);
  const pki = join(layout.directory, 'pki');
  mkdirSync(pki, { recursive: true });
  writePair(pki, 'ca', authority.own);
  writeSecret(join(pki, 'service-accounts.key'), createSigningKey());
  const apiServerHosts = [
    ...apiServerNames,
    '127.0.0.1',
    ...families(ADDRESSES.node),
    ...families(ADDRESSES.apiServer),
  ];
  writePair(pki, 'apiserver', await authority.issue({ commonName: 'kube-apiserver', hosts: apiServerHosts }));
  writePair(
    pki,
    'kubelet',
    await authority.issue({ commonName: layout.node, hosts: [layout.node, ...families(ADDRESSES.node)] }),
  );
  writePair(
    pki,
    'kubelet-client',
    await authority.issue({ commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' }),
  );
  await writeKubeconfigs(layout, authority, port);
}

async function writeKubeconfigs(layout: Layout, authority: Authority, port: number): Promise<void> {
  for (const [name, subject] of Object.entries(users(layout))) {
    const text = kubeconfigOf(
      'https://127.0.0.1:6443',
      authority.own.certificate,
      await authority.issue(subject),
    );
    writeSecret(join(layout.directory, 'etc', `${name}.kubeconfig`), text);
  }
  const admin = await authority.issue({ commonName: 'kubernetes-admin', organization: 'system:masters' });
  writeSecret(layout.kubeconfig, kubeconfigOf(`https://127.0.0.1:${port}`, authority.own.certificate, admin));
}

function writePair(directory: string, name: string, pair: KeyAndCertificate): void {
  writeSecret(join(directory, `${name}.key`), pair.key);
  writeFileSync(join(directory, `${name}.crt`), `${pair.certificate}\n`);
}

function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
}
