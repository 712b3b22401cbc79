/** The operator process in a cluster: builds what it is made of, says when it is ready, and ends in order. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { KeyPair } from '../../lib/certificates.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { ClusterConfig } from '../config.ts';
import { openKubeClient } from '../source/kubernetes/client.ts';
import { startCluster } from './index.ts';
import { readSettings } from './settings.ts';

export interface ClusterIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly stop: AbortSignal;
}

/** Runs until it is told to stop. Rejects with a GatehouseError when it cannot start. */
export async function runClusterProcess(config: ClusterConfig, io: ClusterIo): Promise<number> {
  const log = createLogger({ name: 'operator', level: config.logLevel }, io.stderr);
  const settings = await readSettings(config.settingsFile);
  const client = openKubeClient(
    config.kubeconfig === undefined ? { from: 'cluster' } : { from: 'kubeconfig', file: config.kubeconfig },
  );
  // A restarted container has its pod's name, and must not take its predecessor's Lease for its own.
  const identity = `${config.podName}_${randomBytes(4).toString('hex')}`;
  const operator = await startCluster(
    { ...config, ...settings, identity, certificate: () => readPair(config) },
    { client, clock: systemClock, log, random: Math.random },
  );
  try {
    const { controlUrl, adminUrl } = operator;
    io.stdout.write(`${JSON.stringify({ listening: true, control: controlUrl, admin: adminUrl })}\n`);
    if (!io.stop.aborted) await once(io.stop, 'abort');
    return 0;
  } finally {
    await operator.close();
    await client.close();
  }
}

async function readPair({ certFile, keyFile }: ClusterConfig): Promise<KeyPair> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { cert, key };
}
