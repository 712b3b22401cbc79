/** The processes of a cluster and how each is started. Paths are those that the processes see. */
import { coredns, kubernetes } from '../tools/parts.ts';
import { ADDRESSES, CLUSTER_MOUNT, families, type Layout } from './layout.ts';

export interface Daemon {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

const pki = (name: string): string => `${CLUSTER_MOUNT}/pki/${name}`;
const etc = (name: string): string => `${CLUSTER_MOUNT}/etc/${name}`;
const kubeconfig = (user: string): string => etc(`${user}.kubeconfig`);

export function daemonsOf(layout: Layout): readonly Daemon[] {
  return [
    etcd(),
    apiServer(),
    controllerManager(),
    scheduler(),
    { name: 'containerd', program: '/usr/bin/containerd', args: ['--config', etc('containerd.toml')] },
    kubelet(layout),
    kubeProxy(layout),
    { name: 'coredns', program: coredns.file('coredns'), args: ['-conf', etc('Corefile')] },
  ];
}

function etcd(): Daemon {
  const url = 'http://127.0.0.1:2379';
  return {
    name: 'etcd',
    program: '/usr/bin/etcd',
    args: [
      `--data-dir=${CLUSTER_MOUNT}/etcd`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      '--listen-peer-urls=http://127.0.0.1:2380',
      // A cluster that lives for minutes need not survive a power failure; syncs would make it wait for the disk.
      '--unsafe-no-fsync',
    ],
  };
}

function apiServer(): Daemon {
  return {
    name: 'kube-apiserver',
    program: kubernetes.file('kube-apiserver'),
    args: [
      '--etcd-servers=http://127.0.0.1:2379',
      '--secure-port=6443',
      `--advertise-address=${ADDRESSES.node[0]}`,
      `--service-cluster-ip-range=${families(ADDRESSES.services).join(',')}`,
      `--tls-cert-file=${pki('apiserver.crt')}`,
      `--tls-private-key-file=${pki('apiserver.key')}`,
      `--client-ca-file=${pki('ca.crt')}`,
      `--service-account-key-file=${pki('service-accounts.key')}`,
      `--service-account-signing-key-file=${pki('service-accounts.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--kubelet-certificate-authority=${pki('ca.crt')}`,
      `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
      `--kubelet-client-key=${pki('kubelet-client.key')}`,
      // The node's host name resolves nowhere.
      '--kubelet-preferred-address-types=InternalIP',
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
    ],
  };
}

function controllerManager(): Daemon {
  return {
    name: 'kube-controller-manager',
    program: kubernetes.file('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig('controller-manager')}`,
      `--authentication-kubeconfig=${kubeconfig('controller-manager')}`,
      `--authorization-kubeconfig=${kubeconfig('controller-manager')}`,
      '--bind-address=127.0.0.1',
      `--service-account-private-key-file=${pki('service-accounts.key')}`,
      `--root-ca-file=${pki('ca.crt')}`,
      `--cluster-signing-cert-file=${pki('ca.crt')}`,
      `--cluster-signing-key-file=${pki('ca.key')}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
    ],
  };
}

function scheduler(): Daemon {
  return {
    name: 'kube-scheduler',
    program: kubernetes.file('kube-scheduler'),
    args: [
      `--kubeconfig=${kubeconfig('scheduler')}`,
      `--authentication-kubeconfig=${kubeconfig('scheduler')}`,
      `--authorization-kubeconfig=${kubeconfig('scheduler')}`,
      '--bind-address=127.0.0.1',
      '--leader-elect=false',
    ],
  };
}

function kubelet(layout: Layout): Daemon {
  return {
    name: 'kubelet',
    program: kubernetes.file('kubelet'),
    args: [
      `--config=${etc('kubelet.yaml')}`,
      `--kubeconfig=${kubeconfig('node-kubelet')}`,
      `--hostname-override=${layout.node}`,
      `--node-ip=${families(ADDRESSES.node).join(',')}`,
      `--root-dir=${CLUSTER_MOUNT}/kubelet`,
    ],
  };
}

function kubeProxy(layout: Layout): Daemon {
  return {
    name: 'kube-proxy',
    program: kubernetes.file('kube-proxy'),
    args: [
      `--kubeconfig=${kubeconfig('kube-proxy')}`,
      `--hostname-override=${layout.node}`,
      '--proxy-mode=iptables',
      `--cluster-cidr=${families(ADDRESSES.pods).join(',')}`,
      '--iptables-localhost-nodeports=false',
      // The connection table's size belongs to the whole machine.
      '--conntrack-max-per-core=0',
      '--metrics-bind-address=127.0.0.1:10249',
      '--healthz-bind-address=127.0.0.1:10256',
    ],
  };
}
