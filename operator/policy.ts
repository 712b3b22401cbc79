/** Which manifests are in force: compiles a state as a whole, and keeps the last good one when an edit is wrong. */
import type { Notification } from '../crds/notification.ts';
import type { Clock } from '../lib/clock.ts';
import { sentenceOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { compile, type Compiled, type Installation, type ObjectConditions } from './compile/index.ts';
import type { InstallationKeys } from './keys/installation-keys.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { BundleBoard } from './publish/bundle-board.ts';
import type { Snapshot } from './source/snapshot.ts';
import type { ToolMemory } from './tools/known.ts';

/** What is said of the manifests: about those in force, and what is wrong with an edit that is not. */
export interface PolicyReport {
  readonly objects: readonly ObjectConditions[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** A state of the manifests, as a source tells it. */
export interface PolicyState {
  /** Absent where there is a problem. */
  readonly snapshot?: Snapshot;
  readonly problems: readonly { readonly message: string }[];
  readonly warnings: readonly string[];
}

export interface Policy {
  /** Puts a state in force, or leaves the old one there; returns the sentences that say why it could not be. */
  take(state: PolicyState): Promise<readonly string[]>;
  /** Compiles anew what is in force: keys, tools or what the installation says have changed. */
  renew(): Promise<void>;
  report(): PolicyReport;
  /** Where the rule in force, `namespace/name`, asks approvers. */
  notify(rule: string): readonly Notification[];
  close(): void;
}

export interface PolicyDeps {
  readonly keys: InstallationKeys;
  readonly tools: Pick<ToolMemory, 'of'>;
  /** What the installation says besides its keys, asked anew each time. */
  readonly installation: () => Omit<Installation, 'hashKey' | 'sealingKeys' | 'knownTools'>;
  /**
   * Whether a state is in force as a whole or not at all, as a directory is; the objects of a cluster stand each
   * for itself, since nobody could mend those of another namespace.
   */
  readonly asWhole: boolean;
  readonly board: BundleBoard;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<OperatorMetrics, 'compiled'>;
}

/** Sealing keys are looked at this often; they rotate once a day. */
const UPKEEP_MS = 3_600_000;

export function openPolicy(deps: PolicyDeps): Policy {
  const { board, clock, keys, log } = deps;
  let inForce: { readonly snapshot: Snapshot; readonly warnings: readonly string[] } | undefined;
  let report: PolicyReport = { objects: [], problems: [], warnings: [] };
  let queue: Promise<unknown> = Promise.resolve();

  const compiled = async (snapshot: Snapshot): Promise<Compiled> => {
    await keys.refresh(snapshot.gateways.map(nameOf), clock.now());
    return compile(snapshot, {
      ...deps.installation(),
      hashKey: keys.hashKey(),
      sealingKeys: (gateway) => keys.of(gateway),
      knownTools: (gateway) => deps.tools.of(gateway),
    });
  };
  const refuse = (problems: readonly string[]): readonly string[] => {
    report = { ...report, problems };
    deps.metrics.compiled('refused');
    for (const problem of problems)
      log.error({ problem }, 'The manifests have a mistake; what was in force stays.');
    return problems;
  };
  /** Says of what is in force what there is to say; a warning is logged when it is new. */
  const tell = (result: Compiled, problems: readonly string[]): void => {
    const warnings = [...(inForce?.warnings ?? []), ...result.warnings];
    const known = new Set(report.warnings);
    report = { objects: result.objects, problems, warnings };
    for (const warning of warnings.filter((text) => !known.has(text)))
      log.warn({ warning }, 'The manifests are in force, with a warning.');
  };
  const put = async (state: PolicyState): Promise<readonly string[]> => {
    const { snapshot } = state;
    if (snapshot === undefined) return refuse(state.problems.map(({ message }) => message));
    const result = await compiled(snapshot);
    const refused = deps.asWhole ? refusalsIn(result.objects) : [];
    if (refused.length > 0) return refuse(refused);
    inForce = { snapshot, warnings: state.warnings };
    tell(result, []);
    deps.metrics.compiled('accepted');
    log.info({ gateways: result.bundles.length }, 'manifests in force');
    board.replace(result.bundles);
    return [];
  };
  /** States are taken one after the other, in the order they were seen. */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const mine = queue.then(task);
    queue = mine.catch(() => undefined);
    return mine;
  };
  const renew = (): Promise<void> =>
    inTurn(async () => {
      if (inForce === undefined) return;
      const result = await compiled(inForce.snapshot);
      tell(result, report.problems);
      board.replace(result.bundles);
    });
  const upkeep = (): void => {
    stopUpkeep = clock.after(UPKEEP_MS, upkeep);
    renew().catch((error: unknown) =>
      log.error({ reason: sentenceOf(error) }, 'The sealing keys could not be rotated.'),
    );
  };
  let stopUpkeep = clock.after(UPKEEP_MS, upkeep);

  return {
    take: (state) => inTurn(() => put(state)),
    renew,
    report: () => report,
    notify: (name) =>
      inForce?.snapshot.approvalRules.find((rule) => nameOf(rule) === name)?.spec.notify ?? [],
    close: () => stopUpkeep(),
  };
}

/** A rule that binds nothing guards nothing, and nobody would see. */
function refusalsIn(objects: readonly ObjectConditions[]): string[] {
  return objects
    .flatMap(({ conditions }) => conditions)
    .filter(({ type, status }) => type === 'Accepted' && status === 'False')
    .map(({ message }) => message);
}

function nameOf({ metadata }: Pick<Snapshot['gateways'][number], 'metadata'>): string {
  return `${metadata.namespace}/${metadata.name}`;
}
