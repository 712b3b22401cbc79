/** The proxy process: builds every client and hands them on, says when it is ready, and ends in order. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fetch } from 'undici';
import { gatewayName, type Bundle, type ServerSpec } from '#bundle';
import { steadyClock } from '../lib/clock.ts';
import { freshFile } from '../lib/fresh-file.ts';
import { formatAddress, listen } from '../lib/listen.ts';
import { createLogger, type Logger } from '../lib/log.ts';
import { createOidcVerifier, type OidcVerifier } from '../lib/oidc.ts';
import { closeServer } from '../lib/server-close.ts';
import type { ProxyConfig } from './config.ts';
import { createApprovals } from './control/approvals.ts';
import { ControlClient } from './control/client.ts';
import { lastBundlesIn } from './control/last-bundles.ts';
import { openRoots, type Roots } from './control/roots.ts';
import type { FilePlace } from './credential/files.ts';
import { nodeFiles } from './credential/index.ts';
import type { HttpEgress } from './egress/http/index.ts';
import { follow } from './follow.ts';
import { createHttpUpstream } from './forward/http.ts';
import { createSseUpstream } from './forward/sse.ts';
import { createStdioUpstream } from './forward/stdio.ts';
import type { GatewayState } from './gateway-state.ts';
import { Gateways } from './gateways.ts';
import { createServiceAccountVerifier, type TokenProvider } from './identify/index.ts';
import { createProbesServer } from './probes/server.ts';
import { lookupBy } from './lib/lookup.ts';
import { authoritiesOf } from './receive/origin.ts';
import { createListener, receiveOn } from './receive/server.ts';
import { createHttpsTransport } from './record/https-transport.ts';
import { createMetrics, type ProxyMetrics } from './record/metrics.ts';
import { createRecorder, type Recorder } from './record/recorder.ts';
import { authorityDirectory, createEgress, dialDatabase } from './outside.ts';
import type { Upstream } from './upstream.ts';

export interface ProxyIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stop: AbortSignal;
}

const SWEEP_MS = 5_000;
const DRAIN_MS = 10_000;
/** An answer may be this many times what a request may be: results are where the data is. */
const ANSWER_FACTOR = 4;

/** Runs until it is told to stop; the exit code. Rejects with a GatehouseError when it cannot start. */
export async function runProxyProcess(config: ProxyConfig, io: ProxyIo): Promise<number> {
  const stop = stopSignal(io, config.exitWithParent);
  try {
    await run(config, io, stop);
    return 0;
  } finally {
    // Or reading it would keep the process alive.
    io.stdin.pause();
  }
}

async function run(config: ProxyConfig, io: ProxyIo, stop: AbortSignal): Promise<void> {
  const log = createLogger({ name: 'proxy', level: config.logLevel });
  const metrics = createMetrics(Date.now);
  const roots = await openRoots(config);
  const lookup = lookupBy(config.names);
  const recorder = createRecorder({
    spoolDir: config.spoolDir,
    transport: createHttpsTransport({
      url: config.recorderUrl,
      caFile: config.caFile,
      tokenFile: config.tokenFile,
      lookup,
    }),
    now: Date.now,
    log,
  });
  metrics.observeRecorder(() => recorder.state());
  const client = new ControlClient({
    url: config.controlUrl,
    ca: roots.current,
    token: freshFile(config.tokenFile, (text) => text.trim()),
    lookup,
  });
  try {
    await serve({ config, io, log, stop, metrics, recorder, client, roots });
  } finally {
    await recorder.close();
    await client.close();
  }
}

interface Parts {
  readonly config: ProxyConfig;
  readonly io: ProxyIo;
  readonly log: Logger;
  readonly stop: AbortSignal;
  readonly metrics: ProxyMetrics;
  readonly recorder: Recorder;
  readonly client: ControlClient;
  readonly roots: Roots;
}

async function serve(parts: Parts): Promise<void> {
  const { config, log, metrics, stop, client, recorder } = parts;
  const receiver = createListener();
  const bound = await listen(receiver, config.listen);
  const egress = createEgress(config, log);
  const serving = new Gateways({
    egress,
    approvals: createApprovals(client),
    lending: {
      ...{ files: nodeFiles, clock: steadyClock, random: Math.random },
      lookup: lookupBy(config.names),
    },
    stateDir: config.stateDir,
    authorityDirectory: authorityDirectory(config),
    dialDatabase: dialDatabase(config),
    vaultTokenFile: config.vaultTokenFile,
    databasePorts: config.databasePorts,
    filePlace: (own) => filePlace(config, own),
    recorder,
    metrics,
    verifierFor: verifiers(),
    now: Date.now,
    tellTools: (seen) => client.tell({ method: 'POST', path: '/v1/tools', body: seen }),
    log,
    listenUrl: `http://${formatAddress(bound)}`,
    connect: (server, bundle, state) => connect(server, bundle, state, { ...parts, egress }),
  });
  const authorities = memoized((bundle: Bundle) => authoritiesOf(bound, bundle));
  receiveOn(receiver, {
    router: () => serving.router,
    authorities: (gateway) => authorities(gateway.bundle),
    now: Date.now,
    stopping: stop,
    log,
  });
  const metricsServer = createMetricsServer(metrics, () => serving.list().length > 0);
  const metricsAt = await listen(metricsServer, config.metricsListen);
  const probesServer = config.probes === undefined ? undefined : createProbesServer(config.probes.targets);
  if (config.probes !== undefined && probesServer !== undefined)
    await listen(probesServer, config.probes.listen);
  const sweeping = setInterval(() => serving.sweep(), SWEEP_MS);
  try {
    await follow({
      client,
      gateways: serving,
      last: lastBundlesIn(config.stateDir),
      roots: parts.roots,
      log,
      stop,
      onReady: () => {
        const at = {
          listen: `http://${formatAddress(bound)}`,
          metrics: `http://${formatAddress(metricsAt)}`,
        };
        const startedInMs = Math.round(performance.now());
        parts.io.stdout.write(`${JSON.stringify({ ready: true, ...at, startedInMs })}\n`);
      },
    });
  } finally {
    clearInterval(sweeping);
    const servers = [receiver, metricsServer, ...(probesServer === undefined ? [] : [probesServer])];
    await Promise.all(servers.map((server) => closeServer(server, DRAIN_MS)));
    await serving.close();
    await egress?.close();
  }
}

/** A directory that is there for the server, or one of this user's own for each gateway. */
function filePlace({ credentialFiles: files }: ProxyConfig, own: string): FilePlace | undefined {
  if (files === undefined) return undefined;
  const { directory, perGateway } = files;
  return perGateway ? { directory: join(directory, own), isShared: false } : { directory, isShared: true };
}

function connect(
  server: ServerSpec,
  bundle: Bundle,
  state: GatewayState,
  { config, log, egress }: Parts & { readonly egress: HttpEgress | undefined },
): Upstream {
  const maxMessageBytes = bundle.limits.maxBodyBytes * ANSWER_FACTOR;
  switch (server.transport) {
    case 'StreamableHTTP':
      return createHttpUpstream({ url: server.url ?? '', maxMessageBytes });
    case 'SSE':
      return createSseUpstream({ url: server.url ?? '', maxMessageBytes });
    case 'Stdio':
      return createStdioUpstream({
        command: server.command ?? [],
        environmentOf: (session) => {
          const bind = state.whoseCall.bind.bind(state.whoseCall);
          const proofs = [
            state.databases.proofFor(session, bind),
            ...(egress === undefined ? [] : [egress.proofFor(gatewayName(bundle.gateway), session, bind)]),
          ];
          const proven = proofs.flatMap(({ environment }) => Object.entries(environment));
          return {
            environment: {
              ...config.childEnvironment,
              ...state.files.environment(),
              ...Object.fromEntries(proven),
            },
            end: () => proofs.forEach(({ end }) => end()),
          };
        },
        maxMessageBytes,
        onNoise: (line) => logNoise(line, state, log),
      });
  }
}

/** What a server says on the side may hold its secrets: it is masked like everything else, or not shown. */
function logNoise(line: string, state: GatewayState, log: Logger): void {
  const outcome = state.current?.masker.text(line, { purpose: 'record' });
  const shown = outcome?.kind === 'released' ? outcome.text : '[withheld]';
  log.info({ gateway: state.current?.name, line: shown }, 'the MCP server wrote');
}

/** One verifier a provider for the life of the process: a new bundle does not fetch the same keys again. */
function verifiers(): (provider: TokenProvider) => OidcVerifier {
  const known = new Map<string, OidcVerifier>();
  return (provider) => {
    if (provider.kind === 'serviceAccount') return createServiceAccountVerifier(provider, Date.now);
    const key = JSON.stringify(provider);
    const verifier = known.get(key) ?? createOidcVerifier(provider, { fetch, now: Date.now });
    known.set(key, verifier);
    return verifier;
  };
}

function memoized<K extends object, T>(make: (key: K) => T): (key: K) => T {
  const made = new WeakMap<K, T>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

function createMetricsServer(metrics: ProxyMetrics, isReady: () => boolean): Server {
  return createServer((request, response) => {
    if (request.url === '/healthz') response.end('ok\n');
    else if (request.url === '/readyz')
      response.writeHead(isReady() ? 200 : 503).end(isReady() ? 'ok\n' : 'no gateway is in force yet\n');
    else if (request.url === '/metrics')
      void metrics.text().then((text) => response.setHeader('content-type', metrics.contentType).end(text));
    else response.writeHead(404).end();
  });
}

function stopSignal(io: ProxyIo, exitWithParent: boolean): AbortSignal {
  if (!exitWithParent) return io.stop;
  const orphaned = new AbortController();
  const end = (): void => orphaned.abort();
  io.stdin.once('end', end).once('error', end).resume();
  return AbortSignal.any([io.stop, orphaned.signal]);
}
