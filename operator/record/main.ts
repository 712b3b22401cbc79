/** The recorder process: builds what it is made of, says when it is ready, and ends in order. */
import { createServer, type Server as MetricsServer } from 'node:http';
import { mkdir, readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { Server } from 'node:https';
import { sentenceOf } from '../../lib/errors.ts';
import { lockDirectory } from '../../lib/exclusive-lock.ts';
import { formatAddress, listen } from '../../lib/listen.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import { createCommitter, type Committer } from './committer.ts';
import { RecorderConfigError, type RecorderConfig } from './config.ts';
import type { StoreDamaged } from './errors.ts';
import { createRecorderMetrics, type RecorderMetrics } from './metrics.ts';
import { openStore } from './recover.ts';
import { RecordLog } from './record-log.ts';
import { createRecorderServer } from './server.ts';
import { loadSigner } from './signing-key.ts';
import { reviewedWriters } from './reviewed-writers.ts';
import { writersFrom, type FindWriter } from './writers.ts';

const SEGMENT_BYTES = 64 * 1024 * 1024;
const SEGMENT_AGE_MS = 24 * 3_600_000;
const MAINTENANCE_MS = 60_000;

export interface RecorderIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stop: AbortSignal;
}

/** Runs until it is told to stop. Resolves with the exit code; rejects with a GatehouseError when it cannot start. */
export async function runRecorderProcess(config: RecorderConfig, io: RecorderIo): Promise<number> {
  const log = createLogger({ name: 'recorder', level: config.logLevel });
  await mkdir(config.storeDir, { recursive: true, mode: 0o700 });
  const unlock = lockDirectory(config.storeDir);
  try {
    return await serve(config, io, log);
  } finally {
    unlock();
  }
}

async function serve(config: RecorderConfig, io: RecorderIo, log: Logger): Promise<number> {
  const end = endOf(io, config.exitWithParent);
  const metrics = createRecorderMetrics();
  const committer = await openLog(config, { log, metrics, onFatal: end.fail });
  const findWriter = await writersOf(config);
  const server = createRecorderServer(await readTls(config), { committer, findWriter, metrics, log });
  const metricsServer = createMetricsServer(metrics);
  const chores = setInterval(() => void maintain(config, committer, server, log), MAINTENANCE_MS);
  try {
    const at = formatAddress(await listen(server, config.listen));
    const metricsAt = formatAddress(await listen(metricsServer, config.metricsListen));
    io.stdout.write(
      `${JSON.stringify({ ready: true, listen: `https://${at}`, metrics: `http://${metricsAt}` })}\n`,
    );
    log.info({ listen: at, store: config.storeDir }, 'the recorder is ready');
    const fatal = await end.reached;
    if (fatal !== undefined) log.error({ err: fatal }, 'the recorder ends');
    return fatal === undefined ? 0 : 1;
  } finally {
    clearInterval(chores);
    // Or reading it would keep the process alive.
    io.stdin.pause();
    await Promise.all([closeServer(server), closeServer(metricsServer)]);
    await committer.close();
  }
}

interface LogParts {
  readonly log: Logger;
  readonly metrics: RecorderMetrics;
  readonly onFatal: (error: StoreDamaged) => void;
}

async function openLog(config: RecorderConfig, { log, metrics, onFatal }: LogParts): Promise<Committer> {
  const signer = await loadSigner(config.signingKeyFile);
  const state = await openStore(config.storeDir, signer, log);
  const limits = {
    segmentBytes: SEGMENT_BYTES,
    segmentAgeMs: SEGMENT_AGE_MS,
    retentionMs: config.retentionMs,
  };
  const recordLog = new RecordLog({ store: config.storeDir, signer, limits, now: Date.now, log }, state);
  metrics.observeLog(() => ({ size: recordLog.size, segment: recordLog.newestSegment }));
  log.info(
    { entries: recordLog.size, streams: state.streams.size, key: signer.verifier.vkey },
    'opened the store',
  );
  return createCommitter(recordLog, onFatal);
}

/** Either a signal, the end of standard input, or an error after which nothing more may be stored. */
function endOf(
  io: RecorderIo,
  exitWithParent: boolean,
): { reached: Promise<StoreDamaged | undefined>; fail: (error: StoreDamaged) => void } {
  const { promise, resolve } = Promise.withResolvers<StoreDamaged | undefined>();
  const stop = (): void => {
    resolve(undefined);
  };
  if (io.stop.aborted) stop();
  io.stop.addEventListener('abort', stop, { once: true });
  if (exitWithParent) io.stdin.once('end', stop).once('error', stop).resume();
  return { reached: promise, fail: resolve };
}

/** The client of a cluster takes a second to load, so only a recorder in one loads it. */
async function writersOf({ tokensFile, kubeconfig: file }: RecorderConfig): Promise<FindWriter> {
  if (tokensFile !== undefined) return writersFrom(tokensFile);
  const { openKubeClient } = await import('../source/kubernetes/client.ts');
  const client = openKubeClient(file === undefined ? { from: 'cluster' } : { from: 'kubeconfig', file });
  return reviewedWriters(client, Date.now);
}

async function maintain(
  config: RecorderConfig,
  committer: Committer,
  server: Server,
  log: Logger,
): Promise<void> {
  try {
    server.setSecureContext(await readTls(config));
    await committer.maintain();
  } catch (error) {
    log.error({ err: error }, 'maintenance failed and is tried again');
  }
}

async function readTls(config: RecorderConfig): Promise<{ cert: string; key: string }> {
  try {
    const { certFile, keyFile } = config.tls;
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    return { cert, key };
  } catch (error) {
    throw new RecorderConfigError(`The server's certificate or key cannot be read: ${sentenceOf(error)}.`, {
      cause: error,
    });
  }
}

function createMetricsServer(metrics: RecorderMetrics): MetricsServer {
  return createServer((request, response) => {
    if (request.url === '/healthz') {
      response.end('ok\n');
    } else if (request.url === '/metrics') {
      void metrics.text().then((text) => response.setHeader('content-type', metrics.contentType).end(text));
    } else {
      response.writeHead(404).end();
    }
  });
}

async function closeServer(server: Server | MetricsServer): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  // Deliveries under way end by themselves; one that does not must not hold the process.
  const insist = setTimeout(() => {
    server.closeAllConnections();
  }, 2_000);
  await closed;
  clearTimeout(insist);
}
