/** Who is who in a cluster: writes the keys, certificates and kubeconfigs of all its parts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, createSigningKey, type Authority, type Subject } from './certificates.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { ADDRESSES, families, type Layout } from './layout.ts';

/** `port` is where the machine's own loopback leads to the API server. */
export async function writeIdentities(layout: Layout, port: number): Promise<void> {
  const pki = join(layout.directory, 'pki');
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  writeSecret(join(pki, 'service-accounts.key'), createSigningKey());
  const authority = await createAuthority(pki, `gatehouse-${layout.name}`);
  for (const [name, subject] of Object.entries(servers(layout))) await authority.issue(name, subject);
  for (const [name, subject] of Object.entries(users(layout)))
    await writeKubeconfig(join(layout.directory, 'etc', `${name}.kubeconfig`), authority, {
      name,
      subject,
      server: 'https://127.0.0.1:6443',
    });
  await writeKubeconfig(layout.kubeconfig, authority, {
    name: 'admin',
    subject: { commonName: 'kubernetes-admin', organization: 'system:masters' },
    server: `https://127.0.0.1:${port}`,
  });
}

function servers(layout: Layout): Readonly<Record<string, Subject>> {
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const node = families(ADDRESSES.node);
  return {
    apiserver: {
      commonName: 'kube-apiserver',
      hosts: [...names, 'localhost', '127.0.0.1', ...node, ...families(ADDRESSES.apiServer)],
    },
    kubelet: { commonName: layout.node, hosts: [layout.node, ...node] },
    // How the API server shows itself to the kubelet, for logs and exec.
    'kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' },
  };
}

/** Users of the API. The node's own name is what the node authorizer and the token policies go by. */
function users(layout: Layout): Readonly<Record<string, Subject>> {
  return {
    'controller-manager': { commonName: 'system:kube-controller-manager' },
    scheduler: { commonName: 'system:kube-scheduler' },
    'kube-proxy': { commonName: 'system:kube-proxy' },
    coredns: { commonName: 'system:coredns' },
    'node-kubelet': { commonName: `system:node:${layout.node}`, organization: 'system:nodes' },
  };
}

interface KubeconfigOf {
  readonly name: string;
  readonly subject: Subject;
  readonly server: string;
}

async function writeKubeconfig(path: string, authority: Authority, of: KubeconfigOf): Promise<void> {
  const user = await authority.issue(of.name, of.subject);
  writeSecret(path, kubeconfigOf(of.server, authority.certificate, user));
}

function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
