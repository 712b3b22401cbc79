/** A Pod as far as injection reads it. Whatever else it holds is kept as it is. */
import { z } from 'zod';

const labels = z.record(z.string(), z.string());
const portReference = z.union([z.int(), z.string()]);

const probe = z.looseObject({
  httpGet: z
    .looseObject({
      path: z.string().optional(),
      port: portReference,
      host: z.string().optional(),
      scheme: z.enum(['HTTP', 'HTTPS']).optional(),
      httpHeaders: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
    })
    .optional(),
  tcpSocket: z.looseObject({ port: portReference, host: z.string().optional() }).optional(),
  grpc: z.looseObject({ port: z.int(), service: z.string().nullish() }).optional(),
  exec: z.looseObject({ command: z.array(z.string()).optional() }).optional(),
  timeoutSeconds: z.int().optional(),
});

const capabilities = z.looseObject({
  add: z.array(z.string()).optional(),
  drop: z.array(z.string()).optional(),
});

const securityContext = z.looseObject({
  runAsUser: z.int().optional(),
  runAsGroup: z.int().optional(),
  privileged: z.boolean().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  procMount: z.string().optional(),
  capabilities: capabilities.optional(),
  windowsOptions: z.unknown().optional(),
});

const mount = z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() });

const container = z.looseObject({
  name: z.string(),
  image: z.string().optional(),
  restartPolicy: z.string().optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        containerPort: z.int(),
        hostPort: z.int().optional(),
        protocol: z.string().optional(),
      }),
    )
    .optional(),
  volumeMounts: z.array(mount).optional(),
  volumeDevices: z.array(z.looseObject({ name: z.string() })).optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  startupProbe: probe.optional(),
  lifecycle: z.looseObject({ postStart: probe.optional(), preStop: probe.optional() }).optional(),
  securityContext: securityContext.optional(),
  targetContainerName: z.string().optional(),
});

const volume = z.looseObject({
  name: z.string(),
  hostPath: z.unknown().optional(),
  projected: z
    .looseObject({
      sources: z
        .array(
          z.looseObject({
            serviceAccountToken: z.looseObject({ audience: z.string().optional() }).optional(),
          }),
        )
        .nullish(),
    })
    .optional(),
});

const podSecurityContext = z.looseObject({
  runAsUser: z.int().optional(),
  runAsGroup: z.int().optional(),
  fsGroup: z.int().optional(),
  supplementalGroups: z.array(z.int()).optional(),
  sysctls: z.array(z.looseObject({ name: z.string() })).optional(),
  windowsOptions: z.unknown().optional(),
});

export const podSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string().optional(),
    generateName: z.string().optional(),
    labels: labels.optional(),
    annotations: labels.optional(),
  }),
  spec: z.looseObject({
    containers: z.array(container).min(1),
    initContainers: z.array(container).optional(),
    ephemeralContainers: z.array(container).optional(),
    volumes: z.array(volume).optional(),
    securityContext: podSecurityContext.optional(),
    hostNetwork: z.boolean().optional(),
    hostPID: z.boolean().optional(),
    hostIPC: z.boolean().optional(),
    shareProcessNamespace: z.boolean().optional(),
    terminationGracePeriodSeconds: z.int().optional(),
    os: z.looseObject({ name: z.string() }).optional(),
    nodeSelector: labels.optional(),
  }),
});

export type Pod = z.infer<typeof podSchema>;
export type PodSpec = Pod['spec'];
export type Container = z.infer<typeof container>;
export type Probe = z.infer<typeof probe>;
export type SecurityContext = z.infer<typeof securityContext>;
export type Volume = z.infer<typeof volume>;

/** Containers that a pod starts with, init containers first: where a sentence has to name one. */
export function allContainers(spec: PodSpec): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}
