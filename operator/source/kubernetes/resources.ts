/** What the operator reads of the cluster, and how much of it. */
import { z } from 'zod';
import { API_VERSION } from '#crds';
import { clusterMeta, namespacedMeta, type Resource } from './resource.ts';

const policyObject = z.looseObject({
  metadata: namespacedMeta,
  spec: z.unknown(),
  status: z.unknown().optional(),
});
/** An object of ours, not believed yet: crds/ reads its spec. */
export type RawPolicyObject = z.output<typeof policyObject>;

const mount = z.object({ name: z.string(), mountPath: z.string().default('') });
const container = z.object({
  name: z.string(),
  image: z.string().default(''),
  restartPolicy: z.string().optional(),
  volumeMounts: z.array(mount).default([]),
});
const containerStatus = z.object({ name: z.string(), ready: z.boolean().default(false) });
const volume = z.object({
  name: z.string(),
  projected: z
    .object({
      sources: z
        .array(z.object({ serviceAccountToken: z.object({ audience: z.string().default('') }).optional() }))
        .nullish(),
    })
    .optional(),
});

const owner = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: z.boolean().default(false),
});
export type OwnerReference = z.output<typeof owner>;

const pod = z.object({
  metadata: namespacedMeta.extend({ ownerReferences: z.array(owner).default([]) }),
  spec: z.object({
    hostNetwork: z.boolean().default(false),
    serviceAccountName: z.string().default(''),
    initContainers: z.array(container).default([]),
    containers: z.array(container).default([]),
    volumes: z.array(volume).default([]),
  }),
  status: z
    .object({
      phase: z.string().default(''),
      initContainerStatuses: z.array(containerStatus).default([]),
    })
    .prefault({}),
});
export type Pod = z.output<typeof pod>;

const namespace = z.object({ metadata: clusterMeta });
export type Namespace = z.output<typeof namespace>;

const servicePort = z.object({
  name: z.string().default(''),
  port: z.number(),
  targetPort: z.union([z.number(), z.string()]).optional(),
});
const ingress = z.object({ ip: z.string().optional(), hostname: z.string().optional() });
const service = z.object({
  metadata: namespacedMeta,
  spec: z.object({
    selector: z.record(z.string(), z.string()).default({}),
    ports: z.array(servicePort).default([]),
    clusterIPs: z.array(z.string()).default([]),
    externalIPs: z.array(z.string()).default([]),
  }),
  status: z
    .object({ loadBalancer: z.object({ ingress: z.array(ingress).default([]) }).prefault({}) })
    .prefault({}),
});
export type Service = z.output<typeof service>;

const configMap = z.object({
  metadata: namespacedMeta,
  data: z.record(z.string(), z.string()).default({}),
  binaryData: z.record(z.string(), z.string()).default({}),
});
export type ClusterConfigMap = z.output<typeof configMap>;

export const POLICY_RESOURCES = {
  McpGateway: { apiVersion: API_VERSION, plural: 'mcpgateways', schema: policyObject },
  MaskingPolicy: { apiVersion: API_VERSION, plural: 'maskingpolicies', schema: policyObject },
  ApprovalRule: { apiVersion: API_VERSION, plural: 'approvalrules', schema: policyObject },
} satisfies Record<string, Resource<RawPolicyObject>>;

export const PODS: Resource<Pod> = { apiVersion: 'v1', plural: 'pods', schema: pod };
export const NAMESPACES: Resource<Namespace> = { apiVersion: 'v1', plural: 'namespaces', schema: namespace };
export const SERVICES: Resource<Service> = { apiVersion: 'v1', plural: 'services', schema: service };
export const CONFIG_MAPS: Resource<ClusterConfigMap> = {
  apiVersion: 'v1',
  plural: 'configmaps',
  schema: configMap,
};
