/** The operator in a cluster: what it watches, what it serves, and what it writes while it leads. */
import { fetch } from 'undici';
import { objectKey, type McpGateway } from '../../crds/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { KeyPair } from '../../lib/certificates.ts';
import type { Address } from '../../lib/listen.ts';
import { startTogether, type OnClose } from '../../lib/started.ts';
import type { Logger } from '../../lib/log.ts';
import { startReconciler, type Reconciler } from '../apply/reconciler.ts';
import { createClusterWriter } from '../apply/writer.ts';
import { openKubernetesStore } from '../approve/kubernetes-store.ts';
import type { Asking } from '../approve/asking.ts';
import { secretsInCluster } from '../approve/notify/webhook-secrets.ts';
import type { VaultAccess } from '../../crds/bundle.ts';
import type { UsernameMapping } from '../approve/usernames.ts';
import type { Floors } from '../compile/index.ts';
import { createSecretKeys, SECRETS } from '../keys/secret-keys.ts';
import { startOperator, type Operator, type OperatorDeps } from '../main.ts';
import { createPodReviewer, createRoster, type Roster } from '../publish/pod-reviewer.ts';
import { createTokenReview } from '../publish/token-review.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';
import type { ClusterSnapshot } from '../source/kubernetes/cluster-state.ts';
import { startElector } from '../source/kubernetes/lease.ts';
import { startReflector } from '../source/kubernetes/reflector.ts';
import { startKubernetesSource } from '../source/kubernetes/source.ts';
import { createStatusToolMemory, type StatusToolMemory } from '../tools/status-memory.ts';
import { followIdentityKeys } from './identity-keys.ts';

export interface ClusterOptions {
  /** Of the installation. */
  readonly namespace: string;
  /** Tells replicas apart. */
  readonly identity: string;
  readonly controlListen: Address;
  readonly adminListen: Address;
  readonly adminHosts: readonly string[];
  /** The certificate of the control API and the webhooks and the roots behind it, PEM, asked again every minute. */
  readonly certificate: () => Promise<KeyPair & { readonly roots: string }>;
  readonly floors: Floors;
  readonly usernames: readonly UsernameMapping[];
  /** How approvers are asked. */
  readonly asking?: Asking;
  /** Where sidecars get credentials from. */
  readonly vault?: VaultAccess;
  readonly upstreamRoots?: string;
}

export interface ClusterDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** Told of every whole state of the cluster, before anything is published of it. */
  readonly onSnapshot?: (snapshot: ClusterSnapshot) => void;
  /** Digest of what injection would write into pods of a gateway now. */
  readonly injection?: (gateway: McpGateway) => string | undefined;
}

export interface ClusterOperator extends Pick<Operator, 'controlUrl' | 'adminUrl' | 'board' | 'approvals'> {
  leads(): boolean;
  /** Whether everything that is watched has been seen once, and the bundles of it are published. */
  isReady(): boolean;
  /** Of the installation, base64; empty until it has been read. */
  hashKey(): string;
  close(): Promise<void>;
}

const LEASE = 'gatehouse-operator';
const KEYS_SECRET = 'gatehouse-keys';
const CERTIFICATE_CHECK_MS = 60_000;
const RETRY_MS = 2_000;

/** Resolves when it listens; it is ready once the cluster is known. What it started it ends with `close`, or when it fails. */
export async function startCluster(options: ClusterOptions, deps: ClusterDeps): Promise<ClusterOperator> {
  return startTogether((onClose) => start(options, deps, onClose));
}

async function start(
  options: ClusterOptions,
  deps: ClusterDeps,
  onClose: OnClose,
): Promise<Omit<ClusterOperator, 'close'>> {
  const { client, clock, log, random } = deps;
  const { namespace } = options;
  const keys = createSecretKeys(client, { namespace, name: KEYS_SECRET });
  const tools = createStatusToolMemory(client);
  const roster = createRoster();
  const store = openKubernetesStore(deps);
  onClose(() => store.stop());
  const takeLater: { run: () => void } = { run: () => undefined };
  const identityKeys = followIdentityKeys(() => takeLater.run(), deps);
  onClose(() => identityKeys.stop());
  const installation: OperatorDeps['installation'] = () => ({
    namespace,
    baseDir: '/',
    floors: options.floors,
    cluster: identityKeys.current(),
    vault: options.vault,
    upstreamRoots: options.upstreamRoots,
  });
  let roots: string | undefined;
  let announce: () => void = () => undefined;
  // Sidecars are told of new roots in the same breath, over connections that the old ones vouch for.
  const certificate = async (): Promise<KeyPair> => {
    const next = await options.certificate();
    const isNew = next.roots !== roots;
    roots = next.roots;
    if (isNew) announce();
    return next;
  };
  const tls = { certificate, checkEveryMs: CERTIFICATE_CHECK_MS };
  let leads: () => boolean = () => false;
  const operator = await startOperator(
    {
      adminListen: options.adminListen,
      adminHosts: options.adminHosts,
      control: { listen: options.controlListen, ...tls },
      asWhole: false,
      usernames: options.usernames,
      ...(options.asking !== undefined && { asking: options.asking }),
    },
    {
      ...{ clock, log, store, keys, tools, installation },
      reviewer: createPodReviewer(createTokenReview({ client, now: () => clock.now() }), roster),
      fetch,
      // Of many replicas the one that leads tells; none does before there is one.
      channels: { secretOf: secretsInCluster(client), loopback: false, leads: () => leads(), random },
      roots: () => roots,
      fetchText: fetch,
      processes: () => [],
      metricsPages: () => [],
    },
  );
  onClose(() => operator.close());
  announce = () => operator.board.announce();
  const onChange = (isLeader: boolean): void => {
    if (!isLeader) return;
    reconciler.resync();
    operator.resync();
  };
  const elector = startElector({ namespace, name: LEASE, identity: options.identity, onChange }, deps);
  leads = () => elector.leads();
  onClose(() => elector.stop());
  const reconciler: Reconciler = startReconciler({
    ...{ clock, log, random, leads: () => elector.leads() },
    writer: createClusterWriter({ client, leads: () => elector.leads(), identity: options.identity }),
  });
  onClose(() => reconciler.stop());
  const take = taker({ tools, operator, roster, reconciler, ...deps });
  const source = startKubernetesSource((snapshot) => {
    deps.onSnapshot?.(snapshot);
    takeLater.run = () => take(snapshot);
    // Without the cluster's keys a gateway that trusts them would seem to have gone.
    if (identityKeys.current() !== undefined) take(snapshot);
  }, deps);
  onClose(() => source.stop());
  const secrets = startReflector(
    {
      resource: SECRETS,
      namespace,
      fieldSelector: `metadata.name=${KEYS_SECRET}`,
      onChange: ({ type, object }) => {
        if (type === 'deleted') return;
        keys.observe(object);
        renew(operator, log);
      },
    },
    deps,
  );
  onClose(() => secrets.stop());

  return {
    controlUrl: operator.controlUrl,
    adminUrl: operator.adminUrl,
    board: operator.board,
    approvals: operator.approvals,
    leads: () => elector.leads(),
    hashKey: () => keys.hashKey(),
    isReady: () => source.hasSynced() && store.hasSynced() && operator.board.current() !== undefined,
  };
}

/** Puts a state in force, then says who gets what, then has written down what became of it. The newest state wins. */
function taker(
  deps: { tools: StatusToolMemory; operator: Operator; roster: Roster; reconciler: Reconciler } & ClusterDeps,
): (snapshot: ClusterSnapshot) => void {
  const { tools, operator, roster, reconciler, clock, log } = deps;
  let newest: ClusterSnapshot | undefined;
  const put = async (snapshot: ClusterSnapshot): Promise<void> => {
    tools.observe(
      snapshot.gateways.map((gateway) => [
        objectKey(gateway),
        snapshot.facts.get(`McpGateway ${objectKey(gateway)}`)?.status,
      ]),
    );
    await operator.policy.take({ snapshot, problems: [], warnings: [] });
    // A pod is told of a gateway only when the bundle is there, and is told at once.
    if (roster.replace(snapshot)) operator.board.announce();
    reconciler.take({
      snapshot,
      objects: operator.policy.report().objects,
      bundles: operator.board.current() ?? [],
      injection: deps.injection ?? (() => undefined),
    });
  };
  const take = (snapshot: ClusterSnapshot): void => {
    newest = snapshot;
    put(snapshot).catch((error: unknown) => {
      log.error(
        { reason: sentenceOf(error) },
        'A state of the cluster could not be put in force; trying again.',
      );
      clock.after(RETRY_MS, () => {
        if (newest === snapshot) take(snapshot);
      });
    });
  };
  return take;
}

function renew(operator: Operator, log: Logger): void {
  operator.policy
    .renew()
    .catch((error: unknown) =>
      log.error({ reason: sentenceOf(error) }, 'New keys could not be put in force.'),
    );
}
