/** Which manifests are in force: compiles a state as a whole, and keeps the last good one when an edit is wrong. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { sentenceOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import {
  compile,
  NO_FLOORS,
  STANDALONE_NAMESPACE,
  type Compiled,
  type ObjectConditions,
} from './compile/index.ts';
import { keptJson, newKey } from './keys/key-file.ts';
import { openSealingKeys } from './keys/sealing.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { BundleBoard } from './publish/bundle-board.ts';
import type { DirectoryState } from './source/directory.ts';
import type { Snapshot } from './source/snapshot.ts';

/** What is said of the manifests: about those in force, and what is wrong with an edit that is not. */
export interface PolicyReport {
  readonly objects: readonly ObjectConditions[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface Policy {
  /** Puts a state in force, or leaves the old one there; returns the sentences that say why it could not be. */
  take(state: Pick<DirectoryState, 'snapshot' | 'problems' | 'warnings'>): Promise<readonly string[]>;
  report(): PolicyReport;
  close(): void;
}

export interface PolicyDeps {
  /** Directory of the installation's keys. */
  readonly keys: string;
  readonly baseDir: string;
  readonly board: BundleBoard;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<OperatorMetrics, 'compiled'>;
}

/** Sealing keys are looked at this often; they rotate once a day. */
const UPKEEP_MS = 3_600_000;
const hashKeyFile = z.object({ hashKey: z.base64().length(44) });

export async function openPolicy(deps: PolicyDeps): Promise<Policy> {
  const { board, clock, log } = deps;
  const sealing = await openSealingKeys(join(deps.keys, 'sealing.json'));
  const { hashKey } = await keptJson(join(deps.keys, 'hash.json'), hashKeyFile, () => ({
    hashKey: newKey(),
  }));
  const installation = {
    namespace: STANDALONE_NAMESPACE,
    baseDir: deps.baseDir,
    hashKey,
    sealingKeys: (gateway: string) => sealing.of(gateway),
    floors: NO_FLOORS,
  };
  let inForce: Snapshot | undefined;
  let report: PolicyReport = { objects: [], problems: [], warnings: [] };
  let queue: Promise<unknown> = Promise.resolve();

  const compiled = async (snapshot: Snapshot): Promise<Compiled> => {
    await sealing.refresh(snapshot.gateways.map(nameOf), clock.now());
    return compile(snapshot, installation);
  };
  const refuse = (problems: readonly string[]): readonly string[] => {
    report = { ...report, problems };
    deps.metrics.compiled('refused');
    for (const problem of problems)
      log.error({ problem }, 'The manifests have a mistake; what was in force stays.');
    return problems;
  };
  const put = async (state: Parameters<Policy['take']>[0]): Promise<readonly string[]> => {
    const { snapshot } = state;
    if (snapshot === undefined) return refuse(state.problems.map(({ message }) => message));
    const result = await compiled(snapshot);
    const refused = refusalsIn(result.objects);
    if (refused.length > 0) return refuse(refused);
    inForce = snapshot;
    const warnings = [...state.warnings, ...result.warnings];
    report = { objects: result.objects, problems: [], warnings };
    deps.metrics.compiled('accepted');
    for (const warning of warnings) log.warn({ warning }, 'The manifests are in force, with a warning.');
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
  const upkeep = (): void => {
    stopUpkeep = clock.after(UPKEEP_MS, upkeep);
    void inTurn(async () => {
      if (inForce !== undefined) board.replace((await compiled(inForce)).bundles);
    }).catch((error: unknown) =>
      log.error({ reason: sentenceOf(error) }, 'The sealing keys could not be rotated.'),
    );
  };
  let stopUpkeep = clock.after(UPKEEP_MS, upkeep);

  return {
    take: (state) => inTurn(() => put(state)),
    report: () => report,
    close: () => stopUpkeep(),
  };
}

/** A directory is in force as a whole or not at all: a rule that binds nothing guards nothing, and nobody would see. */
function refusalsIn(objects: readonly ObjectConditions[]): string[] {
  return objects
    .flatMap(({ conditions }) => conditions)
    .filter(({ type, status }) => type === 'Accepted' && status === 'False')
    .map(({ message }) => message);
}

function nameOf({ metadata }: Snapshot['gateways'][number]): string {
  return `${metadata.namespace}/${metadata.name}`;
}
