/**
 * What the server's container gets for credentials that do not leave with its calls: the URLs of databases, which the
 * sidecar is for it, and files to read.
 */
import type { McpGateway } from '#crds';
import { databaseUrl } from '../../crds/database-url.ts';
import { CREDENTIALS_VOLUME } from '../../crds/sidecar.ts';
import { CannotGuard } from './cannot-guard.ts';
import { allContainers, type Container, type PodSpec, type Volume } from './pod.ts';
import { besides, listOf } from './variables.ts';

/** Where the server and the sidecar have the files. */
export const CREDENTIALS_PATH = '/var/run/secrets/gatehouse-credentials';

/** No password is asked for in a pod; clients want one. */
const PASSWORD = 'any';

/** In memory, so that no node's disk keeps a secret. */
export const credentialsVolume: Volume = {
  name: CREDENTIALS_VOLUME,
  emptyDir: { medium: 'Memory', sizeLimit: '32Mi' },
};

/** Where the sidecar listens for the server alone. */
export function localPorts({ spec }: McpGateway): number[] {
  return spec.credentials
    .flatMap(({ inject }) => ('postgres' in inject ? [inject.postgres.listen] : []))
    .sort((a, b) => a - b);
}

export function hasFiles({ spec }: McpGateway): boolean {
  return spec.credentials.some(({ inject }) => 'file' in inject);
}

export function localVariables({ spec }: McpGateway): Readonly<Record<string, string>> {
  return Object.fromEntries(
    spec.credentials.flatMap(({ inject }) => {
      if ('postgres' in inject && inject.postgres.env !== undefined)
        return [[inject.postgres.env, databaseUrl(inject.postgres, PASSWORD)] as const];
      if ('file' in inject && inject.file.env !== undefined)
        return [[inject.file.env, `${CREDENTIALS_PATH}/${inject.file.name}`] as const];
      return [];
    }),
  );
}

/** Puts our variables in the place of those of the same name, before the others, whose values may refer to them. */
export function giveLocal(container: Container, gateway: McpGateway): Container {
  const ours = localVariables(gateway);
  const mount = { name: CREDENTIALS_VOLUME, mountPath: CREDENTIALS_PATH, readOnly: true };
  return {
    ...container,
    ...(Object.keys(ours).length > 0 && { env: [...listOf(ours), ...besides(container.env, ours)] }),
    ...(hasFiles(gateway) && { volumeMounts: [...(container.volumeMounts ?? []), mount] }),
  };
}

/** A container without them. What they replaced is gone, and would be replaced again. */
export function takeLocal(container: Container, gateway: McpGateway): Container {
  const { env, volumeMounts } = container;
  const ours = localVariables(gateway);
  return {
    ...container,
    ...(env && { env: env.filter(({ name, value }) => !Object.hasOwn(ours, name) || ours[name] !== value) }),
    ...(volumeMounts && {
      volumeMounts: volumeMounts.filter(
        ({ name, mountPath }) => name !== CREDENTIALS_VOLUME || mountPath !== CREDENTIALS_PATH,
      ),
    }),
  };
}

/** Throws CannotGuard for a pod that wants a port for itself on which the sidecar is to be a database. */
export function checkLocalPorts(spec: PodSpec, gateway: McpGateway): void {
  const local = localPorts(gateway);
  for (const { name, ports = [] } of allContainers(spec)) {
    const port = ports.find(
      ({ containerPort, protocol = 'TCP' }) => protocol === 'TCP' && local.includes(containerPort),
    );
    if (port !== undefined)
      throw new CannotGuard(
        `container "${name}" has the port ${port.containerPort}, where the gateway has a database (inject.postgres.listen); use another in one of the two`,
      );
  }
}
