/** What Prometheus sees of a proxy. Every name starts with `gatehouse_proxy_`; every label is bounded. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Masked, NoticeCode, OutboundProtocol } from '../../crds/control.ts';
import { boundedLabel, detectorKind, methodLabel } from './labels.ts';
import type { RecorderState } from './spool.ts';

const PREFIX = 'gatehouse_proxy_';
const MAX_DETECTORS = 300;
/** Seconds. From what a local call takes to what a held one may. */
const DURATION_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];

export interface RequestOutcome {
  /** namespace/name; empty when the request reached none. */
  readonly gateway: string;
  /** The JSON-RPC method; absent when the body was not read. */
  readonly method?: string | undefined;
  readonly decision: 'allow' | 'deny' | 'hold' | 'none';
  /** `ok`, or the code of the refusal that ended it. */
  readonly code: string;
  readonly durationMs: number;
}

export type HoldEnd = 'approved' | 'denied' | 'expired' | 'cancelled' | 'unavailable' | 'pending';

export interface ProxyMetrics {
  /** Every exchange, once, when it has ended. */
  request(outcome: RequestOutcome): void;
  refusal(gateway: string, code: string): void;
  masked(gateway: string, found: readonly Masked[]): void;
  /** What policies in mode Audit would have masked. */
  audited(gateway: string, found: readonly Masked[]): void;
  holdStarted(gateway: string): void;
  holdEnded(gateway: string, end: HoldEnd): void;
  sessionOpened(gateway: string): void;
  sessionClosed(gateway: string): void;
  /** Something about the server: a message kept from the client, a tool that changed. */
  notice(gateway: string, code: NoticeCode): void;
  /** A call of the server to the outside, when it has ended. */
  outbound(
    gateway: string,
    call: { readonly protocol: OutboundProtocol; readonly decision: 'allow' | 'deny' },
  ): void;
  /** An event that a gateway with `onFailure: Allow` went on without. */
  recordDropped(gateway: string): void;
  /** Leases of Vault that a gateway holds now. */
  leases(gateway: string, held: number): void;
  /** `refused`: over what one gateway may hold or make. */
  minted(gateway: string, outcome: 'ok' | 'failed' | 'refused'): void;
  renewed(gateway: string, outcome: 'ok' | 'failed'): void;
  revoked(gateway: string, outcome: 'ok' | 'failed'): void;
  /** The bundle now in force for a gateway. */
  bundle(gateway: string, revision: string): void;
  bundleRemoved(gateway: string): void;
  /** Where the state of the recorder is read at each scrape. */
  observeRecorder(state: () => RecorderState): void;
  readonly contentType: string;
  text(): Promise<string>;
}

/** Metrics of one process in a registry of their own. `now` is milliseconds since the epoch. */
export function createMetrics(now: () => number): ProxyMetrics {
  const register = new Registry();
  collectDefaultMetrics({ register, prefix: PREFIX });
  const calls = callMetrics(register);
  const leases = leaseMetrics(register);
  const bundles = bundleMetrics(register, now);

  return {
    ...calls,
    ...leases,
    ...bundles,
    observeRecorder: (state) => {
      observeRecorder(register, state);
    },
    contentType: register.contentType,
    text: () => register.metrics(),
  };
}

type LeaseMetrics = Pick<ProxyMetrics, 'leases' | 'minted' | 'renewed' | 'revoked'>;
type CallMetrics = Omit<
  ProxyMetrics,
  keyof LeaseMetrics | 'bundle' | 'bundleRemoved' | 'observeRecorder' | 'contentType' | 'text'
>;

function callMetrics(register: Registry): CallMetrics {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [register] });
  const gauge = (name: string, help: string): Gauge<'gateway'> =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames: ['gateway'], registers: [register] });

  const requests = counter('requests_total', 'Exchanges that have ended.', [
    'gateway',
    'method',
    'decision',
    'code',
  ]);
  const refusals = counter('refusals_total', 'Exchanges refused, by the code of the refusal.', [
    'gateway',
    'code',
  ]);
  const masks = counter('masked_total', 'Values masked, by what found them.', ['gateway', 'detector']);
  const audits = counter('audited_total', 'Values that policies in mode Audit would mask.', [
    'gateway',
    'detector',
  ]);
  const holds = counter('holds_total', 'Calls that waited for a decision, by how the wait ended.', [
    'gateway',
    'end',
  ]);
  const notices = counter('notices_total', 'What was noticed of servers, by its code.', ['gateway', 'code']);
  const outbound = counter('outbound_calls_total', 'Calls of servers to the outside that have ended.', [
    'gateway',
    'protocol',
    'decision',
  ]);
  const drops = counter('records_dropped_total', 'Events lost where recording may fail.', ['gateway']);
  const holding = gauge('holds_waiting', 'Calls that wait for a decision now.');
  const sessions = gauge('sessions', 'Sessions that are open now.');
  const duration = new Histogram({
    name: `${PREFIX}request_duration_seconds`,
    help: 'From the first byte of a request to the last of its answer.',
    labelNames: ['gateway', 'method'],
    buckets: DURATION_BUCKETS,
    registers: [register],
  });
  const detectorLabel = boundedLabel(MAX_DETECTORS);
  const count = (
    counts: Counter<'gateway' | 'detector'>,
    gateway: string,
    found: readonly Masked[],
  ): void => {
    for (const { detector } of found)
      counts.inc({ gateway, detector: detectorLabel(detectorKind(detector)) });
  };

  return {
    request: ({ gateway, method, decision, code, durationMs }) => {
      requests.inc({ gateway, method: methodLabel(method), decision, code });
      duration.observe({ gateway, method: methodLabel(method) }, durationMs / 1000);
    },
    refusal: (gateway, code) => refusals.inc({ gateway, code }),
    masked: (gateway, found) => count(masks, gateway, found),
    audited: (gateway, found) => count(audits, gateway, found),
    holdStarted: (gateway) => holding.inc({ gateway }),
    holdEnded: (gateway, end) => {
      holding.dec({ gateway });
      holds.inc({ gateway, end });
    },
    sessionOpened: (gateway) => sessions.inc({ gateway }),
    sessionClosed: (gateway) => sessions.dec({ gateway }),
    notice: (gateway, code) => notices.inc({ gateway, code }),
    outbound: (gateway, { protocol, decision }) => outbound.inc({ gateway, protocol, decision }),
    recordDropped: (gateway) => drops.inc({ gateway }),
  };
}

function leaseMetrics(register: Registry): LeaseMetrics {
  const held = new Gauge({
    name: `${PREFIX}leases`,
    help: 'Leases of Vault that are held now.',
    labelNames: ['gateway'],
    registers: [register],
  });
  const counter = (what: string, help: string): ((gateway: string, outcome: string) => void) => {
    const labelNames = ['gateway', 'outcome'] as const;
    const total = new Counter({
      name: `${PREFIX}leases_${what}_total`,
      help,
      labelNames,
      registers: [register],
    });
    return (gateway, outcome) => total.inc({ gateway, outcome });
  };
  return {
    leases: (gateway, count) => held.set({ gateway }, count),
    minted: counter('minted', 'Secrets asked of Vault, by how that went.'),
    renewed: counter('renewed', 'Leases renewed, by how that went.'),
    revoked: counter('revoked', 'Leases given back, by how that went.'),
  };
}

function bundleMetrics(
  register: Registry,
  now: () => number,
): Pick<ProxyMetrics, 'bundle' | 'bundleRemoved'> {
  const inForce = new Map<string, { revision: string; since: number }>();
  const info = new Gauge({
    name: `${PREFIX}bundle_info`,
    help: 'The revision in force, as a label; always 1.',
    labelNames: ['gateway', 'revision'],
    registers: [register],
  });
  new Gauge({
    name: `${PREFIX}bundle_age_seconds`,
    help: 'How long the bundle has been in force.',
    labelNames: ['gateway'],
    registers: [register],
    collect() {
      this.reset();
      for (const [gateway, { since }] of inForce) this.set({ gateway }, (now() - since) / 1000);
    },
  });
  const forget = (gateway: string): void => {
    const known = inForce.get(gateway);
    if (known !== undefined) info.remove({ gateway, revision: known.revision });
    inForce.delete(gateway);
  };

  return {
    bundle: (gateway, revision) => {
      if (inForce.get(gateway)?.revision === revision) return;
      forget(gateway);
      inForce.set(gateway, { revision, since: now() });
      info.set({ gateway, revision }, 1);
    },
    bundleRemoved: forget,
  };
}

function observeRecorder(register: Registry, state: () => RecorderState): void {
  const observed = (name: string, help: string, read: (state: RecorderState) => number): void => {
    new Gauge({
      name: `${PREFIX}recorder_${name}`,
      help,
      registers: [register],
      collect() {
        this.set(read(state()));
      },
    });
  };
  observed('ready', '1 while events can be recorded.', ({ ready }) => Number(ready));
  observed('spool_bytes', 'Bytes that the recorder has not acknowledged.', ({ spoolBytes }) => spoolBytes);
  observed(
    'lag_seconds',
    'Age of the oldest event that the recorder has not acknowledged.',
    ({ lagMs }) => lagMs / 1000,
  );
  observed(
    'set_aside',
    'Lines that the recorder will never take, kept in the spool directory.',
    ({ setAside }) => setAside,
  );
}
