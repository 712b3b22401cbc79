/** What the server's container gets where its gateway has egress: its calls go through the sidecar, and it trusts its CA. */
import { objectKey, type McpGateway } from '#crds';
import { environmentFor } from '../../crds/egress-environment.ts';
import { SIDECAR_PORTS, TRUST_VOLUME } from '../../crds/sidecar.ts';
import { placeholderOf } from '../compile/credentials.ts';
import { CannotGuard } from './cannot-guard.ts';
import type { Container, Volume } from './pod.ts';
import type { InjectionSettings } from './settings.ts';
import { besides, listOf } from './variables.ts';

/** Where the app and the sidecar have it. */
export const TRUST_PATH = '/var/run/gatehouse-trust';
const PROXY_URL = `http://127.0.0.1:${SIDECAR_PORTS.egress}`;
/** What containers of one pod say to each other does not leave it. */
const NO_PROXY = ['localhost', '127.0.0.1', '::1'];
const JAVA_OPTIONS = 'JAVA_TOOL_OPTIONS';

export function hasEgress({ spec }: McpGateway): boolean {
  return spec.egress !== undefined || spec.credentials.some(({ inject }) => 'egress' in inject);
}

export const trustVolume: Volume = {
  name: TRUST_VOLUME,
  emptyDir: { medium: 'Memory', sizeLimit: '16Mi' },
};

/** Puts our variables in the place of those of the same name, and the trust behind the other mounts. Throws CannotGuard. */
export function giveEgress(
  container: Container,
  gateway: McpGateway,
  settings: Pick<InjectionSettings, 'placeholderKey'>,
): Container {
  if (!hasEgress(gateway)) return container;
  if (settings.placeholderKey === '')
    throw new CannotGuard('the operator has not read the keys of the installation yet; try again');
  const { env = [], volumeMounts = [] } = container;
  const before = env.find(({ name }) => name === JAVA_OPTIONS)?.value;
  const ours = serverVariables(gateway, settings, before);
  return {
    ...container,
    env: [...besides(env, ours), ...listOf(ours)],
    volumeMounts: [...volumeMounts, { name: TRUST_VOLUME, mountPath: TRUST_PATH, readOnly: true }],
  };
}

export function serverVariables(
  gateway: McpGateway,
  { placeholderKey }: Pick<InjectionSettings, 'placeholderKey'>,
  javaToolOptions?: string,
): Readonly<Record<string, string>> {
  const placeholders = gateway.spec.credentials.flatMap(({ name, inject }) => {
    if (!('egress' in inject)) return [];
    const { env, placeholder } = inject.egress;
    if (env === undefined || placeholder === undefined) return [];
    return [[env, placeholderOf(objectKey(gateway), name, placeholder, placeholderKey)] as const];
  });
  return environmentFor({
    proxyUrl: PROXY_URL,
    trustDirectory: TRUST_PATH,
    noProxy: NO_PROXY,
    placeholders: Object.fromEntries(placeholders),
    javaToolOptions,
  });
}

/** A container without them. What they replaced is gone, and would be replaced again. */
export function takeEgress(container: Container, gateway: McpGateway): Container {
  const { env, volumeMounts } = container;
  const isOurs = ({ name, mountPath }: NonNullable<typeof volumeMounts>[number]): boolean =>
    name === TRUST_VOLUME && mountPath === TRUST_PATH;
  if (volumeMounts?.some(isOurs) !== true) return container;
  const { [JAVA_OPTIONS]: java = '', ...ours } = serverVariables(gateway, { placeholderKey: '' });
  return {
    ...container,
    volumeMounts: volumeMounts.filter((mount) => !isOurs(mount)),
    ...(env && {
      env: besides(env, ours).flatMap((variable) =>
        variable.name === JAVA_OPTIONS ? withoutEnd(variable, java) : [variable],
      ),
    }),
  };
}

type Variable = NonNullable<Container['env']>[number];

function withoutEnd(variable: Variable, end: string): Variable[] {
  if (variable.value?.endsWith(end) !== true) return [variable];
  const value = variable.value.slice(0, -end.length).trimEnd();
  return value === '' ? [] : [{ ...variable, value }];
}
