/** What the recorder and the proxy of a standalone installation are told, and by which tokens they know each other. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Bundle } from '../../crds/bundle.ts';
import { makePrivateDirectory, writeFileDurably } from '../../lib/durable-file.ts';
import { formatAddress, parseAddress, type Address } from '../../lib/listen.ts';
import type { LogLevel } from '../../lib/log.ts';
import type { ServerLeaf } from '../keys/pki.ts';
import type { Ready } from './child.ts';

const DAY_MS = 86_400_000;
const ANY_PORT = '127.0.0.1:0';
const PROXY = 'proxy';

export interface Tokens {
  readonly proxyTokenFile: string;
  readonly recorderTokensFile: string;
  /** SHA-256 of the proxy's token, hex. */
  readonly proxySha256: string;
}

/** A new token at each start: whoever copied an old one has nothing. */
export async function issueTokens(state: string): Promise<Tokens> {
  const keys = join(state, 'keys');
  await makePrivateDirectory(keys);
  const token = randomBytes(32).toString('base64url');
  const proxySha256 = createHash('sha256').update(token).digest('hex');
  const proxyTokenFile = join(keys, 'proxy.token');
  const recorderTokensFile = join(keys, 'recorder-tokens.json');
  await writeFileDurably(proxyTokenFile, token);
  await writeFileDurably(recorderTokensFile, JSON.stringify({ [proxySha256]: { name: PROXY } }));
  return { proxyTokenFile, recorderTokensFile, proxySha256 };
}

export interface Common {
  readonly inherited: Readonly<Record<string, string>>;
  readonly state: string;
  readonly logLevel: LogLevel;
}

export function recorderEnvironment(
  common: Common,
  wires: { leaf: ServerLeaf; tokens: Tokens; retention: string },
  before: Ready | undefined,
): Record<string, string> {
  return {
    ...childBasics(common, before),
    GATEHOUSE_LISTEN: before === undefined ? ANY_PORT : hostPortOf(before.listen),
    GATEHOUSE_TLS_CERT_FILE: wires.leaf.certFile,
    GATEHOUSE_TLS_KEY_FILE: wires.leaf.keyFile,
    GATEHOUSE_TOKENS_FILE: wires.tokens.recorderTokensFile,
    GATEHOUSE_STORE_DIR: join(common.state, 'records'),
    GATEHOUSE_SIGNING_KEY_FILE: join(common.state, 'keys', 'recorder-signing.pem'),
    GATEHOUSE_RETENTION: wires.retention,
  };
}

/** How servers' own calls go to the outside. */
export interface EgressWire {
  /** Only listened on while a gateway has egress. */
  readonly listen: Address;
  readonly resolvers: readonly string[];
}

export interface ProxyWires {
  readonly controlUrl: string;
  readonly recorderUrl: string;
  readonly caFile: string;
  readonly tokens: Tokens;
  readonly listen: Address;
  readonly egress: EgressWire;
}

export function proxyEnvironment(
  common: Common,
  wires: ProxyWires,
  before: Ready | undefined,
): Record<string, string> {
  return {
    ...childBasics(common, before),
    GATEHOUSE_LISTEN: before === undefined ? formatAddress(wires.listen) : hostPortOf(before.listen),
    GATEHOUSE_CONTROL_URL: wires.controlUrl,
    GATEHOUSE_RECORDER_URL: wires.recorderUrl,
    GATEHOUSE_CA_FILE: wires.caFile,
    GATEHOUSE_TOKEN_FILE: wires.tokens.proxyTokenFile,
    GATEHOUSE_STATE_DIR: join(common.state, PROXY),
    GATEHOUSE_DATABASE_PORTS: 'any',
    GATEHOUSE_CREDENTIALS_DIR: join(common.state, PROXY, 'credentials', '*'),
    GATEHOUSE_EGRESS_LISTEN: formatAddress(wires.egress.listen),
    ...(wires.egress.resolvers.length === 0 ? {} : { GATEHOUSE_RESOLVERS: wires.egress.resolvers.join(',') }),
  };
}

function childBasics(common: Common, before: Ready | undefined): Record<string, string> {
  return {
    ...common.inherited,
    GATEHOUSE_LOG_LEVEL: common.logLevel,
    GATEHOUSE_METRICS_LISTEN: before === undefined ? ANY_PORT : hostPortOf(before.metrics),
    GATEHOUSE_EXIT_WITH_PARENT: '1',
  };
}

/** The store is one log for all gateways, so whoever wants records kept longest decides. */
export function longestRetention(bundles: readonly Bundle[]): string {
  const longest = Math.max(DAY_MS, ...bundles.map(({ recording }) => recording.retentionMs));
  return `${Math.ceil(longest / DAY_MS)}d`;
}

/** `host:port` of a URL as a process names it; the port is always there but where it is the scheme's own. */
function hostPortOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return formatAddress(
    parseAddress(`${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`, 'The address of a process'),
  );
}
