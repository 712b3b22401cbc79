/** What clients call a gateway in Host: the names and addresses of the Services that lead to its pods. Pure. */
import { isIPv6 } from 'node:net';
import { selectedPods } from './guarded-pods.ts';
import type { ClusterSnapshot } from './cluster-state.ts';
import type { Service } from './resources.ts';

const HTTP_PORT = 80;

/** By gateway (`namespace/name`), each list sorted, so that equal states make equal bundles. */
export function serviceHosts(
  snapshot: Pick<ClusterSnapshot, 'gateways' | 'facts' | 'pods'>,
  services: readonly Service[],
): Map<string, readonly string[]> {
  const hosts = new Map<string, Set<string>>();
  for (const { pod, gateway } of selectedPods(snapshot)) {
    const { namespace, labels } = pod.metadata;
    for (const service of services.filter((one) => leadsTo(one, namespace, labels))) {
      const known = hosts.get(gateway) ?? new Set();
      hosts.set(gateway, known);
      for (const host of hostsOf(service)) known.add(host);
    }
  }
  return new Map([...hosts].map(([gateway, known]) => [gateway, [...known].sort()]));
}

function leadsTo(
  { metadata, spec }: Service,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(spec.selector);
  return (
    metadata.namespace === namespace &&
    wanted.length > 0 &&
    wanted.every(([name, value]) => labels[name] === value)
  );
}

/** A name is nobody else's to point at an address of theirs, which is what Host is compared for. */
function hostsOf({ metadata: { name, namespace }, spec, status }: Service): string[] {
  const full = `${name}.${namespace}.svc`;
  const addresses = [...spec.clusterIPs, ...spec.externalIPs].filter((address) => address !== 'None');
  const outside = status.loadBalancer.ingress.flatMap(({ ip, hostname }) =>
    [ip ?? [], hostname ?? []].flat(),
  );
  const called = [name, `${name}.${namespace}`, full, `${full}.cluster.local`, ...addresses, ...outside];
  return called
    .map((host) => (isIPv6(host) ? `[${host}]` : host).toLowerCase())
    .flatMap((host) =>
      spec.ports.flatMap(({ port }) => (port === HTTP_PORT ? [host, `${host}:${port}`] : `${host}:${port}`)),
    );
}
