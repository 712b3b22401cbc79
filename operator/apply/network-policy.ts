/** The NetworkPolicy of a gateway with interception Port: what may reach its pods where the network enforces it. Pure. */
import { objectKey, type McpGateway } from '#crds';
import { INJECT_LABEL, SIDECAR_PORTS } from '../../crds/sidecar.ts';

export interface NetworkPolicy {
  readonly apiVersion: 'networking.k8s.io/v1';
  readonly kind: 'NetworkPolicy';
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly namespace: string;
    readonly name: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'gatehouse' };

/** `undefined` for a gateway that needs none. It goes with its gateway, whose UID it names. */
export function networkPolicyOf(gateway: McpGateway, uid: string): NetworkPolicy | undefined {
  const { selector, interception, server } = gateway.spec;
  if (interception !== 'Port' || selector === undefined) return undefined;
  const ports = [
    ...new Set([SIDECAR_PORTS.mcp, SIDECAR_PORTS.probes, SIDECAR_PORTS.metrics, ...server.openPorts]),
  ];
  const { namespace, name } = gateway.metadata;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      namespace,
      name: networkPolicyName(name),
      labels: MANAGED_BY,
      annotations: { 'gatehouse.dev/gateway': objectKey(gateway) },
      ownerReferences: [
        { apiVersion: 'gatehouse.dev/v1alpha1', kind: 'McpGateway', name, uid, controller: true },
      ],
    },
    spec: {
      podSelector: { matchLabels: { ...selector.matchLabels, [INJECT_LABEL]: 'true' } },
      policyTypes: ['Ingress'],
      ingress: [{ ports: ports.map((port) => ({ port, protocol: 'TCP' })) }],
    },
  };
}

export function networkPolicyName(gateway: string): string {
  return `gatehouse-${gateway}`.slice(0, 253);
}
