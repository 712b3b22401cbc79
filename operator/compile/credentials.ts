/** spec.credentials and spec.egress → what the proxy is told of them. */
import { createHmac } from 'node:crypto';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Bundle, Credential } from '#bundle';
import { objectKey, type McpGateway } from '#crds';
import { NotAccepted, titleOf } from './conditions.ts';
import type { Installation } from './installation.ts';

type Spec = McpGateway['spec']['credentials'][number];
type Compiled = Pick<Bundle, 'credentials' | 'vault' | 'egress' | 'upstreamRoots'>;
type HostPort = { host: string; port: number };

const HTTPS = 443;

/** @throws NotAccepted for a file outside the directory, and for Vault where the installation has none. */
export function compileCredentials(gateway: McpGateway, installation: Installation): Compiled {
  const { credentials } = gateway.spec;
  const egress = compileEgress(gateway);
  const fromVault = credentials.some(({ source }) => 'vault' in source);
  const calls = egress !== undefined || fromVault || credentials.some(({ inject }) => 'postgres' in inject);
  const { upstreamRoots } = installation;
  return {
    credentials: credentials.map((credential) => compileCredential(gateway, credential, installation)),
    ...(fromVault && { vault: vaultOf(gateway, installation) }),
    ...(egress !== undefined && { egress }),
    ...(calls && upstreamRoots !== undefined && { upstreamRoots }),
  };
}

function compileEgress({ spec: { credentials, egress } }: McpGateway): Bundle['egress'] {
  if (egress === undefined && !credentials.some(({ inject }) => 'egress' in inject)) return undefined;
  return { default: egress?.default ?? 'Deny', allow: (egress?.allow ?? []).map(hostPort) };
}

function vaultOf(gateway: McpGateway, { vault }: Installation): NonNullable<Bundle['vault']> {
  if (vault !== undefined) return vault;
  throw new NotAccepted(
    'NoVault',
    `${titleOf(gateway)} has a credential from Vault, and this installation names no Vault; give its address to the installation.`,
  );
}

function compileCredential(gateway: McpGateway, credential: Spec, installation: Installation): Credential {
  const { name, scope, whenShared } = credential;
  return {
    ...{ name, scope, whenShared },
    source: compileSource(gateway, credential, installation.baseDir),
    inject: compileInject(gateway, credential, installation.hashKey),
  };
}

function compileSource(gateway: McpGateway, { name, source }: Spec, baseDir: string): Credential['source'] {
  if ('vault' in source) {
    const { role, ...engine } = source.vault;
    return { vault: { role, engine } };
  }
  const path = resolve(baseDir, source.devFile.path);
  const below = relative(baseDir, path);
  if (below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
    throw new NotAccepted(
      'DevFileOutside',
      `${titleOf(gateway)} has a credential "${name}" whose devFile lies outside the directory of the manifests.`,
    );
  }
  return { devFile: { path } };
}

function compileInject(gateway: McpGateway, { name, inject }: Spec, key: string): Credential['inject'] {
  if ('server' in inject || 'file' in inject) return inject;
  if ('postgres' in inject)
    return { postgres: { ...inject.postgres, upstream: hostPort(inject.postgres.upstream) } };
  const { hosts, placeholder: prefix, ...rest } = inject.egress;
  return {
    egress: {
      ...rest,
      hosts: hosts.map(hostPort),
      ...(prefix !== undefined && {
        placeholder: { prefix, value: placeholderOf(objectKey(gateway), name, prefix, key) },
      }),
    },
  };
}

/**
 * What a server holds instead of a secret: the prefix and 128 bits that nobody guesses. Derived, so that injecting a pod
 * twice writes the same. `gateway` is namespace/name, `key` the installation's, base64.
 */
export function placeholderOf(gateway: string, credential: string, prefix: string, key: string): string {
  const tag = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(JSON.stringify(['placeholder', gateway, credential]))
    .digest('hex');
  return `${prefix}${tag.slice(0, 32)}`;
}

function hostPort(text: string): HostPort {
  const [host = '', port] = text.toLowerCase().split(':');
  return { host, port: port === undefined ? HTTPS : Number(port) };
}
