/** A pod without what injection adds, so that injecting again starts from what its author wrote. */
import type { McpGateway } from '#crds';
import { SERVER_ANNOTATION, SIDECAR_CONTAINER, SIDECAR_PORTS } from '../../crds/sidecar.ts';
import { takeEgress } from './egress.ts';
import { takeLocal } from './local-credentials.ts';
import type { Container, Pod } from './pod.ts';
import { restoreProbes, targetsIn } from './probes.ts';
import { OUR_CONTAINERS, OUR_VOLUMES } from './sidecar.ts';

/**
 * A sidecar that the author brought is removed like one of ours: nothing in a pod proves where it came from. What
 * stands in its place afterwards is genuine.
 */
export function strip(pod: Pod, gateway: McpGateway): Pod {
  const { spec } = pod;
  const sidecar = spec.initContainers?.find(({ name }) => name === SIDECAR_CONTAINER);
  const targets = targetsIn(sidecar);
  const takenOver = sidecar?.ports?.find(({ containerPort }) => containerPort === SIDECAR_PORTS.mcp)?.name;
  const restore = (container: Container): Container => {
    const given = giveBack(restoreProbes(container, targets), gateway.spec.server.port, takenOver);
    return takeEgress(takeLocal(given, gateway), gateway);
  };
  const initContainers = spec.initContainers?.filter(({ name }) => !OUR_CONTAINERS.includes(name));
  return {
    ...pod,
    metadata: { ...pod.metadata, ...withoutServer(pod.metadata) },
    spec: {
      ...spec,
      containers: spec.containers.map(restore),
      ...(initContainers && { initContainers: initContainers.map(restore) }),
      ...(spec.volumes && { volumes: spec.volumes.filter(({ name }) => !OUR_VOLUMES.includes(name)) }),
    },
  };
}

function withoutServer({ annotations }: Pod['metadata']): Pick<Pod['metadata'], 'annotations'> {
  if (annotations === undefined) return {};
  const others = Object.entries(annotations).filter(([name]) => name !== SERVER_ANNOTATION);
  return { annotations: Object.fromEntries(others) };
}

/** The name of the server's port, which the sidecar has under Port. */
function giveBack(container: Container, serverPort: number | undefined, name: string | undefined): Container {
  if (name === undefined || container.ports === undefined) return container;
  const ports = container.ports.map((port) =>
    port.containerPort === serverPort && port.name === undefined ? { ...port, name } : port,
  );
  return { ...container, ports };
}
