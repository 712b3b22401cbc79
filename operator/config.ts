/** The environment of the operator; the only place that reads it. */
import { LOG_LEVELS, type LogLevel } from '../lib/log.ts';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { GatehouseError } from '../lib/errors.ts';
import { parseAddress, type Address } from '../lib/listen.ts';

/** The environment says something that nobody can act on. */
export class ConfigError extends GatehouseError {
  readonly code = 'bad_environment';
}

export interface OperatorConfig {
  readonly logLevel: LogLevel;
  /** What processes that we start find in their environment, besides what we tell them. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** Where standalone gets credentials from: files, because what stands in an environment is seen by many. */
export interface VaultConfig {
  readonly address: string;
  readonly caFile: string | undefined;
  readonly namespace: string | undefined;
  readonly auth:
    | { readonly kind: 'tokenFile'; readonly file: string }
    | { readonly kind: 'appRole'; readonly mount: string; readonly file: string };
}

/** Reads what `gatehouse standalone --help` names of Vault; undefined where no file lets us in. Throws ConfigError. */
export function readVaultConfig(env: NodeJS.ProcessEnv = process.env): VaultConfig | undefined {
  const [token, role] = [env['GATEHOUSE_VAULT_TOKEN_FILE'], env['GATEHOUSE_VAULT_APPROLE_FILE']];
  const file = token ?? role;
  if (file === undefined) return undefined;
  if (token !== undefined && role !== undefined)
    throw new ConfigError(
      'GATEHOUSE_VAULT_TOKEN_FILE and GATEHOUSE_VAULT_APPROLE_FILE are both set; give one of them.',
    );
  const address = env['VAULT_ADDR'];
  if (address === undefined)
    throw new ConfigError(
      'VAULT_ADDR is not set; it must name the Vault, such as https://vault.example:8200.',
    );
  const mount = env['GATEHOUSE_VAULT_APPROLE_MOUNT'] ?? 'approle';
  return {
    address,
    caFile: env['VAULT_CACERT'],
    namespace: env['VAULT_NAMESPACE'],
    auth:
      token === undefined
        ? { kind: 'appRole', mount, file: resolve(file) }
        : { kind: 'tokenFile', file: resolve(file) },
  };
}

/** Reads GATEHOUSE_LOG_LEVEL (default info). Throws ConfigError. */
export function readOperatorConfig(env: NodeJS.ProcessEnv = process.env): OperatorConfig {
  const wanted = env['GATEHOUSE_LOG_LEVEL'] ?? 'info';
  const logLevel = LOG_LEVELS.find((level) => level === wanted);
  if (logLevel === undefined) {
    throw new ConfigError(`GATEHOUSE_LOG_LEVEL is "${wanted}", but must be one of ${LOG_LEVELS.join(', ')}.`);
  }
  return { logLevel, inherited: withoutOurs(env) };
}

/** A stray GATEHOUSE_ variable of the user's shell must not reach a child as if we had set it. */
function withoutOurs(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('GATEHOUSE_'),
    ),
  );
}

/** PEM files, read again when they change. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** What the operator in a cluster finds in its environment. */
export interface ClusterConfig extends Pick<OperatorConfig, 'logLevel'> {
  /** Of the installation. */
  readonly namespace: string;
  /** Of this replica. */
  readonly podName: string;
  readonly controlListen: Address;
  readonly webhookListen: Address;
  readonly adminListen: Address;
  readonly adminHosts: readonly string[];
  /** Certificate of the listeners and the roots behind it; without them the operator issues its own. */
  readonly tls: TlsFiles | undefined;
  /** What the installation says of gateways and approvers; without it nothing is forbidden and nobody mapped. */
  readonly settingsFile: string | undefined;
  /** Instead of the service account of the pod. */
  readonly kubeconfig: string | undefined;
}

/** Reads the variables that `gatehouse operator --help` names. Throws ConfigError. */
export function readClusterConfig(env: NodeJS.ProcessEnv = process.env): ClusterConfig {
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '')
      throw new ConfigError(`${name} is not set; the operator needs it.`);
    return value;
  };
  const address = (name: string, otherwise: string): Address => parseAddress(env[name] ?? otherwise, name);
  return {
    logLevel: readOperatorConfig(env).logLevel,
    namespace: required('GATEHOUSE_NAMESPACE'),
    podName: env['GATEHOUSE_POD_NAME'] ?? hostname(),
    controlListen: address('GATEHOUSE_CONTROL_LISTEN', '0.0.0.0:8443'),
    webhookListen: address('GATEHOUSE_WEBHOOK_LISTEN', '0.0.0.0:9443'),
    adminListen: address('GATEHOUSE_ADMIN_LISTEN', '0.0.0.0:8420'),
    adminHosts: (env['GATEHOUSE_ADMIN_HOSTS'] ?? '').split(',').filter((name) => name !== ''),
    tls:
      env['GATEHOUSE_TLS_CERT_FILE'] === undefined
        ? undefined
        : {
            certFile: required('GATEHOUSE_TLS_CERT_FILE'),
            keyFile: required('GATEHOUSE_TLS_KEY_FILE'),
            caFile: required('GATEHOUSE_TLS_CA_FILE'),
          },
    settingsFile: env['GATEHOUSE_SETTINGS_FILE'],
    kubeconfig: env['GATEHOUSE_KUBECONFIG'],
  };
}
