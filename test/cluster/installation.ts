/** Gatehouse in the cluster of a test, by helm as a user installs it. A cluster has one, so test files take turns. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGatehouseImage } from '../../hack/image/build.ts';
import { cacheDirectory } from '../../hack/tools/config.ts';
import { lockDirectory } from '../../lib/exclusive-lock.ts';
import { eventually, type Cluster } from './cluster.ts';
import { ownCluster } from './config.ts';

export const NAMESPACE = 'gatehouse-system';
const CHART = join(import.meta.dirname, '../../charts/gatehouse');
const RELEASE = 'gatehouse';
/** As long as another file may take with its turn. */
const TURN_SECONDS = 1_200;

/** Resolves when no other test file uses the installation, with what lets the next one have it. */
export function takeTurn(cluster: Cluster): Promise<() => void> {
  const name = createHash('sha256').update(cluster.kubeconfig).digest('hex').slice(0, 16);
  const directory = join(cacheDirectory, 'locks', `installation-${name}`);
  mkdirSync(directory, { recursive: true });
  return eventually(() => Promise.resolve(lockDirectory(directory)), TURN_SECONDS);
}

/** Builds the image and brings it to the nodes; resolves with its size. Clusters of other machines pull it by themselves. */
export async function provideImage(cluster: Cluster): Promise<{ bytesWithoutBase: number } | undefined> {
  if (ownCluster() === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-installation-'));
  try {
    const archive = join(directory, 'image.tar');
    const built = await buildGatehouseImage({ reference: cluster.images.gatehouse, archive });
    await cluster.loadImage(archive);
    return built;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Installs the chart, or brings the installation to these values; resolves when all of it is ready. */
export function installGatehouse(
  cluster: Cluster,
  values: readonly string[] = [],
  { reuseValues = false }: { readonly reuseValues?: boolean } = {},
): Promise<string> {
  const { repository, tag } = partsOf(cluster.images.gatehouse);
  const all = [`image.repository=${repository}`, `image.tag=${tag}`, ...values];
  return cluster.helm([
    ...['upgrade', RELEASE, CHART, '--install', `--namespace=${NAMESPACE}`, '--create-namespace'],
    ...(reuseValues ? ['--reuse-values'] : []),
    ...['--wait', '--timeout=120s', ...all.map((value) => `--set=${value}`)],
  ]);
}

/** What the chart says of itself with `helm test`. */
export function testGatehouse(cluster: Cluster): Promise<string> {
  return cluster.helm(['test', RELEASE, `--namespace=${NAMESPACE}`, '--timeout=60s']);
}

export function uninstallGatehouse(cluster: Cluster): Promise<string> {
  return cluster.helm(['uninstall', RELEASE, `--namespace=${NAMESPACE}`, '--wait', '--timeout=120s']);
}

/** The colon of a registry's port comes before the last slash. */
function partsOf(image: string): { repository: string; tag: string } {
  const colon = image.indexOf(':', image.lastIndexOf('/'));
  if (colon === -1) return { repository: image, tag: 'latest' };
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}
