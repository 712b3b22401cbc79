/** The manifests of a directory → the bundle of one gateway, without a cluster and without an installation. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { ManifestProblem } from '../../crds/index.ts';
import { gatewayName, type Bundle } from '../../crds/bundle.ts';
import { compile, NO_FLOORS, STANDALONE_NAMESPACE, type Installation } from '../../operator/compile/index.ts';
import { loadDirectory } from '../../operator/source/load.ts';
import { UsageError } from '../io.ts';

export interface Policy {
  readonly bundle: Bundle;
  /** What whoever wrote the manifests should read. */
  readonly warnings: readonly string[];
}

/** Throws UsageError with one sentence a line for each thing that is wrong. */
export async function loadPolicy(directory: string, gateway: string | undefined): Promise<Policy> {
  const loaded = await loadDirectory(directory, 'Try');
  if (loaded.snapshot === undefined) {
    throw new UsageError(loaded.problems.map((problem) => sentenceFor(problem, directory)).join('\n'));
  }
  const compiled = compile(loaded.snapshot, installationOf(directory));
  const names = loaded.snapshot.gateways.map(({ metadata }) => gatewayName(metadata));
  const name = choose(names, gateway, directory);
  const bundle = compiled.bundles.find((candidate) => gatewayName(candidate.gateway) === name);
  if (bundle === undefined) throw new UsageError(compiled.warnings.join('\n'));
  return { bundle, warnings: [...loaded.warnings, ...compiled.warnings] };
}

/** A problem with the directory itself names it ".", which tells a reader nothing. */
function sentenceFor({ file, message }: ManifestProblem, directory: string): string {
  return file === '.' ? directory + message.slice(1) : message;
}

function choose(names: readonly string[], wanted: string | undefined, directory: string): string {
  const chosen = wanted === undefined ? names : names.filter((name) => isCalled(name, wanted));
  const [only, ...more] = chosen;
  if (only !== undefined && more.length === 0) return only;
  if (names.length === 0) throw new UsageError(`${directory} holds no McpGateway.`);
  const list = names.join(', ');
  if (only === undefined)
    throw new UsageError(`There is no McpGateway ${wanted ?? ''} in ${directory}; it holds ${list}.`);
  throw new UsageError(`Say with --gateway which one is meant: ${chosen.join(', ')}.`);
}

/** Its name is enough where only one namespace has it. */
function isCalled(name: string, wanted: string): boolean {
  return name === wanted || name.endsWith(`/${wanted}`);
}

/** Keys of an installation are secret and not needed to judge; with this one, equal values hash alike in every run. */
const KEY = createHash('sha256').update('gatehouse try').digest('base64');

function installationOf(directory: string): Installation {
  return {
    namespace: STANDALONE_NAMESPACE,
    baseDir: resolve(directory),
    hashKey: KEY,
    sealingKeys: () => [{ id: 'try', key: KEY }],
    floors: NO_FLOORS,
    knownTools: () => [],
    // Callers are given, not verified, so no key is needed.
    // Nothing is fetched from it.
    vault: { address: 'https://vault.invalid', auth: { kind: 'jwt', mount: 'jwt' } },
    cluster: { issuer: 'https://kubernetes.default.svc', jwks: { keys: [] } },
  };
}
