/** What every cluster has beside Kubernetes itself: names for Services, and disks for claims. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { kubectl } from './kubectl.ts';
import { ADDRESSES, CLUSTER_MOUNT, type Layout } from './layout.ts';

const DISKS = 8;

export async function installAddons(layout: Layout): Promise<void> {
  for (let index = 0; index < DISKS; index += 1)
    mkdirSync(join(layout.directory, diskNamed(index)), { recursive: true });
  const objects = [...dns(), ...storage(layout)];
  const input = objects.map((object) => stringify(object)).join('---\n');
  await kubectl(layout.kubeconfig, ['apply', '--server-side', '-f', '-'], { input });
}

/** CoreDNS runs beside the kubelet; to pods it is the Service that every cluster has. */
function dns(): readonly object[] {
  const name = 'system:coredns';
  const labels = { 'k8s-app': 'kube-dns' };
  const ports = [
    { name: 'dns', protocol: 'UDP', port: 53 },
    { name: 'dns-tcp', protocol: 'TCP', port: 53 },
  ];
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        {
          apiGroups: [''],
          resources: ['services', 'pods', 'namespaces', 'nodes'],
          verbs: ['get', 'list', 'watch'],
        },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
      spec: { clusterIP: ADDRESSES.dns, ports },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'kube-dns',
        namespace: 'kube-system',
        labels: { 'kubernetes.io/service-name': 'kube-dns' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [ADDRESSES.node[0]], conditions: { ready: true } }],
      ports,
    },
  ];
}

/** A default class with a few disks that are there already, so that a claim is bound without a provisioner. */
function storage(layout: Layout): readonly object[] {
  const storageClassName = 'standard';
  const disks = Array.from({ length: DISKS }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `disk-${index}` },
    spec: {
      storageClassName,
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      // Unlike hostPath, handed to the group that the pod names in fsGroup.
      local: { path: `${CLUSTER_MOUNT}/${diskNamed(index)}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [layout.node] }] },
          ],
        },
      },
    },
  }));
  return [
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name: storageClassName,
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    },
    ...disks,
  ];
}

function diskNamed(index: number): string {
  return `disks/${index}`;
}
