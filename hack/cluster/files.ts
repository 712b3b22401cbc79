/** The configuration files of the cluster's processes. */
import { stringify } from 'yaml';
import { PAUSE_IMAGE } from '../tools/parts.ts';
import { ADDRESSES, CLUSTER_MOUNT, families, type Layout } from './layout.ts';

/** overlayfs cannot lie on overlayfs, which is what the disk is inside of most containers. */
export type Snapshotter = 'overlayfs' | 'native';

/** Configuration by file name. */
export function configurationFiles(
  layout: Layout,
  snapshotter: Snapshotter,
): Readonly<Record<string, string>> {
  return {
    'containerd.toml': containerd(snapshotter),
    'cni/gatehouse.conflist': JSON.stringify(cni(), undefined, 2),
    'kubelet.yaml': stringify(kubelet(layout)),
    'resolv.conf': `nameserver ${ADDRESSES.node[0]}\n`,
    Corefile: corefile(),
    // Names beside the cluster's own, for tests; CoreDNS reads the file again when it changes.
    hosts: '',
  };
}

function containerd(snapshotter: Snapshotter): string {
  return `version = 2
root = "${CLUSTER_MOUNT}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Where the machine's own processes may not lower their score, neither may the pods'.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${CLUSTER_MOUNT}/etc/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "/usr/sbin/runc"
`;
}

/** Each pod is routed on its own: what two pods say to each other passes the node's rules, as Services need. */
function cni(): object {
  return {
    cniVersion: '0.4.0',
    name: 'gatehouse',
    plugins: [
      {
        type: 'ptp',
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni-addresses',
          ranges: families(ADDRESSES.pods).map((subnet) => [{ subnet }]),
          routes: families(['0.0.0.0/0', '::/0']).map((dst) => ({ dst })),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function kubelet(layout: Layout): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${CLUSTER_MOUNT}/pki/ca.crt` },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: `${CLUSTER_MOUNT}/pki/kubelet.crt`,
    tlsPrivateKeyFile: `${CLUSTER_MOUNT}/pki/kubelet.key`,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${layout.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    podLogsDir: `${CLUSTER_MOUNT}/pod-logs`,
    resolvConf: `${CLUSTER_MOUNT}/etc/resolv.conf`,
    clusterDNS: [ADDRESSES.dns],
    clusterDomain: 'cluster.local',
    // The disk is the machine's: a full one is no reason to throw pods out.
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '0%',
      'imagefs.available': '0%',
      'nodefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    maxPods: 250,
    serializeImagePulls: false,
  };
}

function corefile(): string {
  return `.:53 {
  bind ${families(ADDRESSES.node).join(' ')}
  ready ${ADDRESSES.node[0]}:8181
  errors
  cache 5
  hosts ${CLUSTER_MOUNT}/etc/hosts {
    reload 1s
    ttl 5
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${CLUSTER_MOUNT}/etc/coredns.kubeconfig
    pods insecure
    ttl 5
  }
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`;
}
