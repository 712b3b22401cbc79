/** A whole installation on one machine: the operator here, the recorder and the proxy as processes of their own. */
import { join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { fetch } from 'undici';
import { gatewayName, type Bundle } from '../../crds/bundle.ts';
import { systemClock } from '../../lib/clock.ts';
import { makePrivateDirectory } from '../../lib/durable-file.ts';
import { GatehouseError } from '../../lib/errors.ts';
import { lockDirectory } from '../../lib/exclusive-lock.ts';
import type { Address } from '../../lib/listen.ts';
import { startTogether, type OnClose } from '../../lib/started.ts';
import type { Logger, LogLevel } from '../../lib/log.ts';
import { openDirectoryStore } from '../approve/directory-store.ts';
import { secretsInDirectory } from '../approve/notify/webhook-secrets.ts';
import type { Settings } from '../cluster/settings.ts';
import { STANDALONE_NAMESPACE } from '../compile/index.ts';
import { openDirectoryKeys } from '../keys/installation-keys.ts';
import { openPki } from '../keys/pki.ts';
import { startOperator, type Operator } from '../main.ts';
import { fixedTokens } from '../publish/identity.ts';
import { DirectorySource, type DirectoryState } from '../source/directory.ts';
import { openDirectoryToolMemory } from '../tools/directory-memory.ts';
import type { VaultConfig } from '../config.ts';
import { startChild, type Child } from './child.ts';
import { startRecorder } from './recorder.ts';
import { readRoots, vaultAccess } from './vault.ts';
import { issueTokens, proxyEnvironment, type Common, type EgressWire } from './wires.ts';

export interface StandaloneOptions {
  readonly directory: string;
  readonly state: string;
  readonly listen: Address;
  readonly admin: Address;
  readonly egress: EgressWire;
  /** Roots beside those of the system that vouch for whom the proxy calls, PEM. */
  readonly upstreamRootsFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly settings: Settings;
  readonly vault: VaultConfig | undefined;
  /** Environment that the processes begin with. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Program and first arguments that run `gatehouse`; the verb follows. */
  readonly gatehouse: readonly [string, ...string[]];
}

export interface StandaloneDeps {
  readonly log: Logger;
  readonly stderr: Writable;
}

export interface Standalone {
  /** Where each gateway's MCP endpoint is. */
  readonly endpoints: readonly { gateway: string; url: string }[];
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** The manifests cannot be put in force; one sentence each. */
export class ManifestsRefused extends GatehouseError {
  readonly code = 'manifests_refused';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1'];
const RENEWAL_CHECK_MS = 12 * 3_600_000;

/** Resolves when calls are served. What was started is ended again when a later step fails. */
export async function startStandalone(options: StandaloneOptions, deps: StandaloneDeps): Promise<Standalone> {
  return startTogether((onClose) => start(options, deps, onClose));
}

async function start(
  options: StandaloneOptions,
  { log, stderr }: StandaloneDeps,
  onClose: OnClose,
): Promise<Omit<Standalone, 'close'>> {
  const { state, settings } = options;
  const children: Child[] = [];
  const takeLater: { edit: (state: DirectoryState) => void } = { edit: () => undefined };

  const source = new DirectorySource(options.directory, (edit) => takeLater.edit(edit));
  onClose(() => source.close());
  const initial = await source.start();
  checkUsable(initial);
  await makePrivateDirectory(state);
  onClose(lockDirectory(state));
  const tokens = await issueTokens(state);
  const keys = join(state, 'keys');
  const pki = await openPki(keys, systemClock.now());
  const installation = {
    namespace: STANDALONE_NAMESPACE,
    baseDir: resolve(options.directory),
    floors: settings.floors,
    vault: await vaultAccess(options.vault),
    upstreamRoots:
      options.upstreamRootsFile === undefined
        ? undefined
        : await readRoots(options.upstreamRootsFile, '--egress-ca'),
  };
  const operator = await startOperator(
    {
      adminListen: options.admin,
      adminHosts: [],
      control: {
        listen: LOOPBACK,
        certificate: () => pki.server('control', LOOPBACK_HOSTS, systemClock.now()),
        checkEveryMs: RENEWAL_CHECK_MS,
      },
      asWhole: true,
      ...{ usernames: settings.usernames, asking: settings.asking },
    },
    {
      clock: systemClock,
      log,
      store: await openDirectoryStore(join(state, 'approvals'), log),
      keys: await openDirectoryKeys(keys),
      tools: await openDirectoryToolMemory(join(state, 'tools.json')),
      installation: () => installation,
      reviewer: fixedTokens([{ sha256: tokens.proxySha256, identity: { name: 'proxy', gateways: 'all' } }]),
      fetch,
      channels: {
        secretOf: secretsInDirectory(options.directory),
        ...{ loopback: true, leads: () => true, random: Math.random },
      },
      roots: () => undefined,
      fetchText: fetch,
      processes: () => children.map((child) => child.status()),
      metricsPages: () =>
        children.map((child) => ({ process: child.status().name, url: `${child.ready.metrics}/metrics` })),
    },
  );
  onClose(() => operator.close());
  const refused = await operator.policy.take(initial);
  if (refused.length > 0) throw new ManifestsRefused(refused);
  takeLater.edit = (edit) => void takeEdit(edit, operator, log);

  const common: Common = { inherited: options.inherited, state, logLevel: options.logLevel };
  // No process of an earlier start is alive: it would hold the lock, or have ended with its parent.
  await operator.approvals.abandonRunning();
  const recorder = await startRecorder(
    { ...options, common, tokens },
    { operator, pki, log, stderr, onClose },
  );
  children.push(recorder);
  const proxy = await startChild(
    {
      name: 'proxy',
      command: [...options.gatehouse, 'proxy'],
      environment: (before) =>
        proxyEnvironment(
          common,
          {
            ...{ tokens, listen: options.listen, egress: options.egress },
            controlUrl: operator.controlUrl,
            recorderUrl: recorder.ready.listen,
            caFile: pki.caFile,
          },
          before,
        ),
    },
    { clock: systemClock, log, stderr, onEnd: () => void abandon(operator, log) },
  );
  onClose(() => proxy.stop());
  children.push(proxy);
  return {
    endpoints: endpointsOf(proxy.ready.listen, operator.board.current() ?? []),
    adminUrl: operator.adminUrl,
  };
}

function checkUsable({ problems, snapshot }: DirectoryState): void {
  if (problems.length > 0) throw new ManifestsRefused(problems.map(({ message }) => message));
  if (snapshot?.gateways.length === 0) {
    throw new ManifestsRefused(['There is no McpGateway among the manifests, so there is nothing to guard.']);
  }
}

async function takeEdit(edit: DirectoryState, operator: Operator, log: Logger): Promise<void> {
  try {
    for (const problem of await operator.policy.take(edit)) {
      log.error({ problem }, 'The edit has a mistake; what was in force stays in force.');
    }
  } catch (err) {
    log.error({ err }, 'The edit could not be put in force.');
  }
}

/** What a proxy that died was doing for approved calls, nobody knows. */
async function abandon(operator: Operator, log: Logger): Promise<void> {
  try {
    await operator.approvals.abandonRunning();
  } catch (err) {
    log.error({ err }, 'The outcome of approved calls could not be written down.');
  }
}

/** One gateway is served at its own path, several each below its name. */
function endpointsOf(base: string, bundles: readonly Bundle[]): { gateway: string; url: string }[] {
  const only = bundles.length === 1;
  return bundles.map((bundle) => {
    const gateway = gatewayName(bundle.gateway);
    return { gateway, url: `${base}${only ? '' : `/${gateway}`}${bundle.server.path}` };
  });
}
