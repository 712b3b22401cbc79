/**
 * Health probes and lifecycle hooks that the kubelet asks of the sidecar instead of the container, and what the
 * sidecar asks in turn. Written by injection into the sidecar's environment, read by the sidecar.
 */
import { z } from 'zod';

const port = z.int().min(1).max(65_535);

/** What the sidecar asks on loopback, as Kubernetes writes it, with every port a number. */
export const probeHandler = z.union([
  z.strictObject({
    httpGet: z.strictObject({
      path: z.string(),
      port,
      scheme: z.enum(['HTTP', 'HTTPS']),
      httpHeaders: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
    }),
  }),
  z.strictObject({ tcpSocket: z.strictObject({ port }) }),
  z.strictObject({ grpc: z.strictObject({ port, service: z.string() }) }),
]);

export const probeTarget = z.strictObject({
  handler: probeHandler,
  /** How long an answer may take. */
  timeoutSeconds: z.int().min(1).max(86_400),
});

/** By the path that the kubelet asks for, such as `/probes/server/readinessProbe/…`. */
export const probeTargets = z.record(z.string(), probeTarget);

export type ProbeHandler = z.infer<typeof probeHandler>;
export type ProbeTarget = z.infer<typeof probeTarget>;
export type ProbeTargets = z.infer<typeof probeTargets>;

/** The environment variable of the sidecar that holds the targets as JSON. */
export const PROBES_VARIABLE = 'GATEHOUSE_PROBES';
