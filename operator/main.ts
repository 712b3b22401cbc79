/** The operator: manifests in, bundles and decisions out. It constructs the parts; who reads the manifests is the caller's. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { makePrivateDirectory } from '../lib/durable-file.ts';
import { formatAddress, listen, type Address } from '../lib/listen.ts';
import type { Logger } from '../lib/log.ts';
import type { IssuerFetch } from '../lib/oidc.ts';
import { closeServer } from '../lib/server-close.ts';
import { createAdminApi } from './admin/admin-api.ts';
import { createPeople } from './admin/people.ts';
import { statusOf, type ProcessStatus, type Status } from './admin/status.ts';
import { createApprovals, type Approvals } from './approve/approvals.ts';
import { openDirectoryStore } from './approve/directory-store.ts';
import { openPki, type Pki } from './keys/pki.ts';
import { createOperatorMetrics, type FetchText, type MetricsPage } from './metrics.ts';
import { openPolicy, type Policy } from './policy.ts';
import { createAppliedBoard } from './publish/applied-board.ts';
import { createBundleBoard, type BundleBoard } from './publish/bundle-board.ts';
import { createControlApi } from './publish/control-api.ts';
import { startControlServer } from './publish/control-server.ts';
import type { TokenReviewer } from './publish/identity.ts';

export interface OperatorOptions {
  /** Directory of approvals and keys; made where it is missing. */
  readonly state: string;
  /** Where devFile credentials are looked for; absolute. */
  readonly baseDir: string;
  readonly adminListen: Address;
  readonly controlListen: Address;
}

export interface OperatorDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly reviewer: TokenReviewer;
  /** Asks issuers for their keys. */
  readonly fetch: IssuerFetch;
  /** Reads the metrics of the other processes. */
  readonly fetchText: FetchText;
  /** The processes beside the operator, for status. */
  readonly processes: () => readonly ProcessStatus[];
  readonly metricsPages: () => readonly MetricsPage[];
}

export interface Operator {
  /** Where proxies find the control API. */
  readonly controlUrl: string;
  readonly adminUrl: string;
  readonly pki: Pki;
  readonly board: BundleBoard;
  readonly policy: Policy;
  readonly approvals: Approvals;
  close(): Promise<void>;
}

/** A call may run as long as limits.callTimeout allows at most, and a little. */
const PERIODS = { retentionMs: 24 * 3_600_000, runMs: 25 * 3_600_000 };
const ADMIN_GRACE_MS = 2_000;
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1'];

/** Starts everything but the source of manifests, which hands its states to `policy`. */
export async function startOperator(options: OperatorOptions, deps: OperatorDeps): Promise<Operator> {
  const { clock, log } = deps;
  const keys = join(options.state, 'keys');
  await makePrivateDirectory(keys);
  const pki = await openPki(keys, clock.now());
  const board = createBundleBoard();
  const applied = createAppliedBoard();
  const store = await openDirectoryStore(join(options.state, 'approvals'), log);
  const approvals = createApprovals({ store, rules: board, clock, log, periods: PERIODS });
  const metrics = createOperatorMetrics({ approvals, fetch: deps.fetchText });
  const policy = await openPolicy({ keys, baseDir: options.baseDir, board, clock, log, metrics });
  const people = createPeople(board, { fetch: deps.fetch, now: () => clock.now() });

  const controlApp = createControlApi({
    ...{ board, applied, approvals, clock, log },
    reviewer: deps.reviewer,
    onFollower: (change) => metrics.follower(change),
  });
  const control = await startControlServer(
    controlApp,
    { listen: options.controlListen, hosts: LOOPBACK_HOSTS },
    { pki, clock, log },
  );
  const status = (): Status =>
    statusOf({
      ...policy.report(),
      bundles: board.current(),
      appliedTo: (gateway) => applied.of(gateway),
      processes: deps.processes(),
    });
  const adminApp = createAdminApi({
    ...{ board, approvals, people, status, log },
    metrics: () => metrics.text(deps.metricsPages()),
    host: options.adminListen.host,
    onDecision: (verdict) => metrics.decided(verdict),
  });
  const admin = createServer(adminApp);

  const close = async (): Promise<void> => {
    policy.close();
    approvals.close();
    await Promise.all([closeServer(admin, ADMIN_GRACE_MS), control.close()]);
    await people.close();
  };
  try {
    const adminUrl = `http://${formatAddress(await listen(admin, options.adminListen))}`;
    return { controlUrl: control.url, adminUrl, pki, board, policy, approvals, close };
  } catch (error) {
    await close();
    throw error;
  }
}
