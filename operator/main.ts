/** The operator: manifests in, bundles and decisions out. Where it runs decides what it is given, not what it is. */
import { createServer } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { formatAddress, listen, type Address } from '../lib/listen.ts';
import type { Logger } from '../lib/log.ts';
import { closeServer } from '../lib/server-close.ts';
import { createAdminApi } from './admin/admin-api.ts';
import { createPeople } from './admin/people.ts';
import { statusOf, type ProcessStatus, type Status } from './admin/status.ts';
import { createApprovals, type Approvals } from './approve/approvals.ts';
import { linkTo, NOBODY_ASKED, type Asking } from './approve/asking.ts';
import { createKnownPeople } from './approve/known-people.ts';
import { NO_CHANNEL_DEPS, startNotifying, type Fetch, type NotifyingDeps } from './approve/notify/index.ts';
import { readSecret } from './approve/notify/secret-files.ts';
import type { Verdict } from './approve/object.ts';
import type { ApprovalStore } from './approve/store.ts';
import { kubernetesNames, type UsernameMapping } from './approve/usernames.ts';
import type { Installation } from './compile/index.ts';
import { createConsole, type Console, type ConsoleDeps } from './console/router.ts';
import type { InstallationKeys } from './keys/installation-keys.ts';
import { createOperatorMetrics, type FetchText, type MetricsPage } from './metrics.ts';
import { openPolicy, type Policy } from './policy.ts';
import { createAppliedBoard } from './publish/applied-board.ts';
import { createBundleBoard, type BundleBoard } from './publish/bundle-board.ts';
import { createControlApi } from './publish/control-api.ts';
import type { TokenReviewer } from './publish/identity.ts';
import type { ToolMemory } from './tools/known.ts';
import { startTlsServer, type TlsServer, type TlsServerOptions } from './publish/tls-server.ts';

export interface OperatorOptions {
  readonly adminListen: Address;
  /** Names that the admin API may be asked by, besides addresses and localhost. */
  readonly adminHosts: readonly string[];
  readonly control: TlsServerOptions;
  /** Whether the manifests are in force as a whole or not at all. */
  readonly asWhole: boolean;
  /** How people whom tokens name are called in Kubernetes. */
  readonly usernames: readonly UsernameMapping[];
  /** How approvers are asked; without it they have to look by themselves. */
  readonly asking?: Asking;
}

export interface OperatorDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly reviewer: TokenReviewer;
  readonly store: ApprovalStore;
  readonly keys: InstallationKeys;
  readonly tools: ToolMemory;
  /** What the installation says besides its keys, asked anew each time. */
  readonly installation: () => Omit<Installation, 'hashKey' | 'sealingKeys' | 'knownTools'>;
  /** Asks issuers for their keys, and tells channels. */
  readonly fetch: Fetch;
  readonly channels?: ChannelDeps;
  /** What proxies are to trust from now on, PEM; undefined where they read it from a file. */
  readonly roots: () => string | undefined;
  /** Reads the metrics of the other processes. */
  readonly fetchText: FetchText;
  /** The processes beside the operator that it is answerable for. */
  readonly processes: () => readonly ProcessStatus[];
  readonly metricsPages: () => readonly MetricsPage[];
}

/** What telling approvers takes where the operator runs. */
export type ChannelDeps = Pick<NotifyingDeps, 'secretOf' | 'loopback' | 'leads' | 'random'>;

export interface Operator {
  /** Where proxies find the control API. */
  readonly controlUrl: string;
  readonly adminUrl: string;
  readonly board: BundleBoard;
  readonly policy: Policy;
  readonly approvals: Approvals;
  /** This replica has begun to lead. */
  resync(): void;
  close(): Promise<void>;
}

/** A call may run as long as limits.callTimeout allows at most, and a little. */
const PERIODS = { retentionMs: 24 * 3_600_000, runMs: 25 * 3_600_000 };
const ADMIN_GRACE_MS = 2_000;

/** Starts everything but the source of manifests, which hands its states to `policy`. */
export async function startOperator(options: OperatorOptions, deps: OperatorDeps): Promise<Operator> {
  const { clock, log, store, keys, tools, installation } = deps;
  const board = createBundleBoard();
  const applied = createAppliedBoard();
  const names = kubernetesNames(options.usernames, board);
  const approvals = createApprovals({
    ...{ store, rules: board, names, clock, log, periods: PERIODS },
    notify: (rule) => policy.notify(rule),
  });
  const metrics = createOperatorMetrics({ approvals, fetch: deps.fetchText });
  const policy = openPolicy({
    keys,
    tools,
    installation,
    asWhole: options.asWhole,
    board,
    clock,
    log,
    metrics,
  });
  const people = createPeople(board, { fetch: deps.fetch, now: () => clock.now() });

  const controlApp = createControlApi({
    ...{ board, applied, approvals, clock, log },
    reviewer: deps.reviewer,
    roots: deps.roots,
    onFollower: (change) => metrics.follower(change),
    onTools: async ({ gateway, tools: seen }) => {
      if (await tools.note(gateway, seen)) await policy.renew();
    },
  });
  const status = (): Status =>
    statusOf({
      ...policy.report(),
      bundles: board.current(),
      appliedTo: (gateway) => applied.of(gateway),
      processes: deps.processes(),
    });
  const asking = options.asking ?? NOBODY_ASKED;
  const onDecision = (verdict: Verdict): void => metrics.decided(verdict);
  const notifying = startNotifying({
    ...{ approvals, clock, log, onDecision },
    ...(deps.channels ?? NO_CHANNEL_DEPS),
    bundles: board,
    settings: asking.notify,
    people: createKnownPeople(asking.people),
    fetch: deps.fetch,
    linkTo: (id) => linkTo(id, asking),
  });
  const pages = consoleOf(asking, { approvals, board, fetch: deps.fetch, log, onDecision, clock });
  const adminApp = createAdminApi({
    ...{ board, approvals, people, status, log, onDecision },
    metrics: () => metrics.text(deps.metricsPages()),
    hosts: [options.adminListen.host, ...options.adminHosts, ...hostsOf(asking)],
    hooks: notifying.hooks,
    console: pages?.router,
  });
  const admin = createServer(adminApp);
  let control: TlsServer | undefined;

  const close = async (): Promise<void> => {
    policy.close();
    await notifying.stop();
    await approvals.close();
    await Promise.all([closeServer(admin, ADMIN_GRACE_MS), control?.close()]);
    await Promise.all([people.close(), pages?.close()]);
  };
  try {
    control = await startTlsServer(controlApp, options.control, { clock, log });
    const adminUrl = `http://${formatAddress(await listen(admin, options.adminListen))}`;
    const resync = (): void => notifying.resync();
    return { controlUrl: control.url, adminUrl, board, policy, approvals, resync, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function hostsOf({ publicUrl }: Asking): string[] {
  return publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
}

/** There are pages only where people can sign in and come back. */
function consoleOf(
  { console: settings, publicUrl }: Asking,
  {
    clock,
    ...deps
  }: Pick<ConsoleDeps, 'approvals' | 'board' | 'fetch' | 'log' | 'onDecision'> & { clock: Clock },
): Console | undefined {
  if (settings === undefined || publicUrl === undefined) return undefined;
  return createConsole({ ...deps, settings, publicUrl, readSecret, now: () => clock.now() });
}
