/** The proxy's configuration: the environment, read once and checked. */
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { PROBES_VARIABLE, probeTargets, type ProbeTargets } from '../crds/probes.ts';
import { GatehouseError } from '../lib/errors.ts';
import { parseAddress, type Address } from '../lib/listen.ts';
import type { NameServers } from './lib/lookup.ts';
import { LOG_LEVELS, type LogLevel } from '../lib/log.ts';

export class ProxyConfigError extends GatehouseError {
  readonly code = 'bad_config';
}

export interface ProxyConfig {
  /** Where clients come in. */
  readonly listen: Address;
  /** Metrics and health, plain HTTP. */
  readonly metricsListen: Address;
  readonly controlUrl: string;
  readonly recorderUrl: string;
  /** Roots of the installation, PEM. */
  readonly caFile: string;
  /** What `caFile` holds at first, where the roots came with the environment; later ones come from the operator. */
  readonly ca: string | undefined;
  /** Where the kubelet asks for the containers beside this one; undefined where it asks them itself. */
  readonly probes: { readonly listen: Address; readonly targets: ProbeTargets } | undefined;
  /** Where the names of operator and recorder lie, whatever the pod says of them. */
  readonly names: NameServers;
  /** Bearer token for operator and recorder. */
  readonly tokenFile: string;
  /** What this pod shows Vault; undefined where it was given nothing. */
  readonly vaultTokenFile: string | undefined;
  /** What is recorded and not delivered yet. */
  readonly spoolDir: string;
  /** What outlives a restart of this process: the last policies. */
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  readonly exitWithParent: boolean;
  /** Undefined where this process serves no calls to the outside. */
  readonly egress: EgressConfig | undefined;
  /** Ports of loopback behind which databases may lie, because this pod was made for them; undefined: any. */
  readonly databasePorts: readonly number[] | undefined;
  /** Undefined where there is no place that the server reads. */
  readonly credentialFiles: CredentialFilesConfig | undefined;
  /** What stdio servers get of this process's environment: enough to find their programs, none of its secrets. */
  readonly childEnvironment: Readonly<Record<string, string>>;
}

/** Where servers read credentials from. */
export interface CredentialFilesConfig {
  /** Absolute. */
  readonly directory: string;
  /** Whether each gateway has a directory of its own below it, which is this user's alone. */
  readonly perGateway: boolean;
}

/** How the server's own calls go to the outside. */
export interface EgressConfig {
  /** Where they come in. */
  readonly listen: Address;
  /** What the app is given to trust is written here. */
  readonly trustDirectory: string;
}

const path = z.string().min(1, 'must name a file or directory');
const httpsUrl = z.url({ protocol: /^https$/, error: 'must be an https URL' });

const environment = z.object({
  GATEHOUSE_LISTEN: z.string().default('[::]:15000'),
  GATEHOUSE_METRICS_LISTEN: z.string().default('[::]:15020'),
  GATEHOUSE_CONTROL_URL: httpsUrl,
  GATEHOUSE_RECORDER_URL: httpsUrl,
  GATEHOUSE_CA_FILE: path.optional(),
  GATEHOUSE_CA: z
    .string()
    .startsWith('-----BEGIN CERTIFICATE-----', 'must hold certificates in PEM')
    .optional(),
  GATEHOUSE_PROBES_LISTEN: z.string().default('[::]:15021'),
  [PROBES_VARIABLE]: z.string().optional(),
  GATEHOUSE_TOKEN_FILE: path,
  GATEHOUSE_VAULT_JWT_FILE: path.optional(),
  GATEHOUSE_STATE_DIR: path,
  GATEHOUSE_EGRESS_LISTEN: z.string().optional(),
  GATEHOUSE_EGRESS_TRUST_DIR: path.optional(),
  GATEHOUSE_DATABASE_PORTS: z
    .string()
    .regex(/^(any|([0-9]{1,5}(,[0-9]{1,5})*)?)$/, 'must be ports separated by commas, or any')
    .default(''),
  GATEHOUSE_CREDENTIALS_DIR: path.optional(),
  GATEHOUSE_RESOLVERS: z.string().default(''),
  GATEHOUSE_CLUSTER_DOMAIN: z.string().min(1).default('cluster.local'),
  GATEHOUSE_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  GATEHOUSE_EXIT_WITH_PARENT: z.enum(['0', '1']).default('0'),
});

const CHILD_VARIABLES = [
  'HOME',
  'LANG',
  'LC_ALL',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'USER',
];

/** Throws ProxyConfigError with a sentence that names the variable. */
export function readProxyConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): ProxyConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new ProxyConfigError(sentenceFor(parsed.error.issues[0]));
  const from = parsed.data;
  return {
    listen: parseAddress(from.GATEHOUSE_LISTEN, 'GATEHOUSE_LISTEN'),
    metricsListen: parseAddress(from.GATEHOUSE_METRICS_LISTEN, 'GATEHOUSE_METRICS_LISTEN'),
    controlUrl: from.GATEHOUSE_CONTROL_URL,
    recorderUrl: from.GATEHOUSE_RECORDER_URL,
    ...rootsOf(from),
    names: namesOf(from),
    probes: probesOf(from),
    egress: egressOf(from),
    databasePorts: portsOf(from.GATEHOUSE_DATABASE_PORTS),
    credentialFiles: filesOf(from.GATEHOUSE_CREDENTIALS_DIR),
    tokenFile: from.GATEHOUSE_TOKEN_FILE,
    vaultTokenFile: from.GATEHOUSE_VAULT_JWT_FILE,
    spoolDir: join(resolve(from.GATEHOUSE_STATE_DIR), 'spool'),
    stateDir: resolve(from.GATEHOUSE_STATE_DIR),
    logLevel: from.GATEHOUSE_LOG_LEVEL,
    exitWithParent: from.GATEHOUSE_EXIT_WITH_PARENT === '1',
    childEnvironment: Object.fromEntries(
      CHILD_VARIABLES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
    ),
  };
}

type Environment = z.output<typeof environment>;

function rootsOf(from: Environment): Pick<ProxyConfig, 'ca' | 'caFile'> {
  const { GATEHOUSE_CA: ca, GATEHOUSE_CA_FILE: file, GATEHOUSE_STATE_DIR: state } = from;
  if (ca !== undefined && file === undefined) return { ca, caFile: join(resolve(state), 'ca.crt') };
  if (file !== undefined && ca === undefined) return { ca, caFile: file };
  throw new ProxyConfigError(
    `GATEHOUSE_CA_FILE and GATEHOUSE_CA are ${ca === undefined ? 'not set' : 'both set'}; the proxy needs one of them.`,
  );
}

function namesOf(from: Environment): NameServers {
  return {
    resolvers: from.GATEHOUSE_RESOLVERS.split(',').filter((address) => address !== ''),
    clusterDomain: from.GATEHOUSE_CLUSTER_DOMAIN,
  };
}

function egressOf(from: Environment): EgressConfig | undefined {
  if (from.GATEHOUSE_EGRESS_LISTEN === undefined) return undefined;
  return {
    listen: parseAddress(from.GATEHOUSE_EGRESS_LISTEN, 'GATEHOUSE_EGRESS_LISTEN'),
    trustDirectory: from.GATEHOUSE_EGRESS_TRUST_DIR ?? join(resolve(from.GATEHOUSE_STATE_DIR), 'egress'),
  };
}

function portsOf(text: string): readonly number[] | undefined {
  if (text === 'any') return undefined;
  return text.split(',').filter(Boolean).map(Number);
}

/** A path that ends in the name `*` stands for one directory a gateway. */
function filesOf(text: string | undefined): CredentialFilesConfig | undefined {
  if (text === undefined) return undefined;
  const perGateway = basename(text) === '*';
  return { directory: resolve(perGateway ? dirname(text) : text), perGateway };
}

function probesOf(from: Environment): ProxyConfig['probes'] {
  const text = from[PROBES_VARIABLE];
  if (text === undefined) return undefined;
  const targets = probeTargets.safeParse(jsonOf(text));
  if (!targets.success)
    throw new ProxyConfigError(`${PROBES_VARIABLE} is wrong: it must hold what injection wrote.`);
  const listen = parseAddress(from.GATEHOUSE_PROBES_LISTEN, 'GATEHOUSE_PROBES_LISTEN');
  return { listen, targets: targets.data };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sentenceFor(issue: z.core.$ZodIssue | undefined): string {
  const name = String(issue?.path[0] ?? 'The environment');
  if (issue?.code === 'invalid_type') return `${name} is not set; the proxy needs it.`;
  return `${name} is wrong: ${issue?.message ?? 'it cannot be read'}.`;
}
