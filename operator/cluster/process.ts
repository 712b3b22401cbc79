/** The operator process in a cluster: builds what it is made of, says when it is ready, and ends in order. */
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { ClusterConfig } from '../config.ts';
import { readInjection } from '../inject/injection-settings.ts';
import type { InjectionSettings } from '../inject/settings.ts';
import { createWebhooks, targetsOf } from '../inject/webhooks.ts';
import { startTlsServer } from '../publish/tls-server.ts';
import { openKubeClient } from '../source/kubernetes/client.ts';
import { candidatesOf } from '../source/kubernetes/guarded-pods.ts';
import { createServerIdentity, type ServerIdentity } from './identity.ts';
import { startCluster } from './index.ts';
import { readSettings } from './settings.ts';

const CERTIFICATE_CHECK_MS = 60_000;

export interface ClusterIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly stop: AbortSignal;
}

/** Runs until it is told to stop. Rejects with a GatehouseError when it cannot start. */
export async function runClusterProcess(config: ClusterConfig, io: ClusterIo): Promise<number> {
  const started: (() => Promise<void>)[] = [];
  try {
    const listening = await start(config, io.stderr, (end) => started.push(end));
    io.stdout.write(`${JSON.stringify({ listening: true, ...listening })}\n`);
    if (!io.stop.aborted) await once(io.stop, 'abort');
    return 0;
  } finally {
    for (const end of started.reverse()) await end();
  }
}

async function start(
  config: ClusterConfig,
  stderr: Writable,
  onClose: (end: () => Promise<void>) => void,
): Promise<{ control: string; webhooks: string; admin: string }> {
  const log = createLogger({ name: 'operator', level: config.logLevel }, stderr);
  const settings = await readSettings(config.settingsFile);
  const given = readInjection(settings.injection);
  const client = openKubeClient(
    config.kubeconfig === undefined ? { from: 'cluster' } : { from: 'kubeconfig', file: config.kubeconfig },
  );
  onClose(() => client.close());
  const identify = createServerIdentity(config, { client, now: Date.now });
  let shown = await identify();
  const certificate = async (): Promise<ServerIdentity> => (shown = await identify());
  let hashKey = (): string => '';
  const injection = (): InjectionSettings | undefined =>
    given && {
      ...given,
      namespace: config.namespace,
      ca: shown.roots,
      probeKey: shown.probeKey,
      placeholderKey: hashKey(),
    };
  const webhooks = createWebhooks(injection, log);
  const deps = { client, clock: systemClock, log, random: Math.random };
  const webhookServer = await startTlsServer(
    webhooks.app,
    { listen: config.webhookListen, certificate, checkEveryMs: CERTIFICATE_CHECK_MS },
    deps,
  );
  onClose(() => webhookServer.close());
  // A restarted container has its pod's name, and must not take its predecessor's Lease for its own.
  const identity = `${config.podName}_${randomBytes(4).toString('hex')}`;
  const operator = await startCluster(
    { ...config, ...settings, identity, certificate },
    {
      ...deps,
      injection: (gateway) => webhooks.digestFor(gateway),
      onSnapshot: (snapshot) =>
        webhooks.take({
          candidates: candidatesOf(snapshot),
          services: snapshot.services.map(targetsOf),
          configMaps: snapshot.configMaps,
        }),
    },
  );
  onClose(() => operator.close());
  hashKey = () => operator.hashKey();
  return { control: operator.controlUrl, webhooks: webhookServer.url, admin: operator.adminUrl };
}
