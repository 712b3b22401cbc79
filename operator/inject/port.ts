/** Interception by Port: the sidecar takes over the name of the server's port, and Services follow the name. */
import { CannotGuard } from './cannot-guard.ts';
import type { Container, Pod } from './pod.ts';

/** A Service as far as it matters here. */
export interface ServiceTargets {
  readonly name: string;
  /** Empty where it selects no pods. */
  readonly selector: Readonly<Record<string, string>>;
  /** Where each of its ports leads: a number, or a port's name. */
  readonly targets: readonly (number | string)[];
}

/** The name of the server's port. Throws CannotGuard where Services could not follow it or lead past the sidecar. */
export function portToTakeOver(
  pod: Pod,
  server: Container,
  serverPort: number,
  services: readonly ServiceTargets[],
): string {
  const past = services.find(
    (service) => selectsLabels(service, pod) && service.targets.includes(serverPort),
  );
  if (past !== undefined) {
    throw new CannotGuard(
      `Service ${past.name} leads to port ${serverPort} by number, past the sidecar; give its targetPort the name of the port, or use interception: Redirect`,
    );
  }
  const port = server.ports?.find(({ containerPort }) => containerPort === serverPort);
  if (port?.hostPort !== undefined) {
    throw new CannotGuard(
      `container "${server.name}" opens port ${serverPort} on the node, past the sidecar; remove hostPort`,
    );
  }
  if (port?.name !== undefined) return port.name;
  throw new CannotGuard(
    `with interception: Port the port ${serverPort} of container "${server.name}" needs a name that Services can follow; name it in its ports`,
  );
}

/** The server's port without its name. */
export function handOver(container: Container, server: string, serverPort: number): Container {
  if (container.name !== server || container.ports === undefined) return container;
  const ports = container.ports.map((port) =>
    port.containerPort === serverPort ? { ...port, name: undefined } : port,
  );
  return { ...container, ports };
}

function selectsLabels({ selector }: ServiceTargets, { metadata }: Pod): boolean {
  const entries = Object.entries(selector);
  return entries.length > 0 && entries.every(([key, value]) => metadata.labels?.[key] === value);
}
