/** A bundle made to work: the stages of one gateway, over what of it outlives a change of policy. */
import { gatewayName, type Bundle } from '#bundle';
import { sentenceOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { compileAccess } from './authorize/index.ts';
import type { Approvals } from './control/approvals.ts';
import { createCredentials, headersFor, type Credentials } from './credential/index.ts';
import { vaultSettings } from './credential/vault/settings.ts';
import { compileMasker } from './engine/mask/index.ts';
import { createMasking, type Masking } from './engine/masking/index.ts';
import type { ClientNotification, ClientResponse, Credentialed, Identified, Judgement } from './exchange.ts';
import { createPassthrough } from './forward/passthrough.ts';
import type { Upstream } from './upstream.ts';
import { compileGuard } from './guard/index.ts';
import { compileStatementGuard, refusalOf } from './guard/statement.ts';
import type { PostgresPolicy } from './egress/postgres/deps.ts';
import { createHold, type Hold } from './hold/index.ts';
import { createToolIntegrity } from './integrity/index.ts';
import type { Gateway } from './gateway.ts';
import type { GatewayState } from './gateway-state.ts';
import { createIdentify, protectedResourceMetadata, type TokenProvider } from './identify/index.ts';
import { Journal } from './journal.ts';
import type { OidcVerifier } from '../lib/oidc.ts';
import type { RateLimit } from './lib/rate-limit.ts';
import { createEnter } from './outward.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import type { Stages } from './pipeline.ts';
import type { ProxyMetrics } from './record/metrics.ts';
import type { Recorder } from './record/recorder.ts';
import { Refusal } from './refusal.ts';
import { createRelease, refusalMessage, type Release, type ReleaseDeps } from './release/index.ts';
import { concealCursor, restoreCursor } from './session/cursor.ts';
import { createSealer, type Sealer } from './session/seal.ts';

/** What the process lends to every gateway. */
export interface GatewayDeps {
  readonly approvals: Approvals;
  readonly recorder: Recorder;
  readonly metrics: ProxyMetrics;
  readonly verifierFor: (provider: TokenProvider) => Pick<OidcVerifier, 'verify'>;
  readonly now: () => number;
  readonly log: Logger;
  /** What a pod shows Vault; undefined where nothing gives it one. */
  readonly vaultTokenFile: string | undefined;
  /** Where this process listens: the resource of a gateway without publicUrl. */
  readonly listenUrl: string;
}

/** Compiles a bundle. Throws a GatehouseError for a policy that cannot be compiled; then the old one stays in force. */
export async function assembleGateway(
  bundle: Bundle,
  state: GatewayState,
  upstream: Upstream,
  deps: GatewayDeps,
): Promise<Gateway> {
  const parts = await compileParts(bundle, state, deps);
  const { credentials, hold, journal, log, masker, name, outbound, release, sealer, stages } = parts;
  const { limits, server } = bundle;
  const resource = bundle.publicUrl ?? `${deps.listenUrl}${server.path}`;
  const lend = <M extends Unjudged>(exchange: Identified<M>): Promise<Credentialed<M>> =>
    credentials.credential({ ...exchange, authorized: true, judgement: ALLOWED, approval: undefined });

  return {
    name,
    bundle,
    identify: createIdentify(bundle.identity, { verifierFor: deps.verifierFor, now: deps.now, resource }),
    sealer,
    sessions: state.sessions,
    upstream,
    journal,
    masker,
    databases: parts.databases,
    release,
    metadata: protectedResourceMetadata(bundle, resource),
    refusalMessage,
    passthrough: passThrough(bundle, lend),
    checkRate: (exchange) => checkRate(state.rate, exchange, limits.callsPerMinute),
    serve: {
      stages: {
        ...stages,
        forward: async (exchange, { headers, signal, link }) => {
          const { id, method } = exchange.message;
          return upstream.call({ link, id, method, signal, ...(await outbound(exchange, headers)) });
        },
      },
      upstream,
      journal,
      approvals: deps.approvals,
      callTimeoutMs: limits.callTimeoutMs,
      now: deps.now,
      log,
      post: async (exchange, session, headers) => {
        const signal = AbortSignal.timeout(limits.callTimeoutMs);
        try {
          await upstream.post({
            link: session.link,
            signal,
            ...(await outbound(await lend(exchange), headers)),
          });
        } finally {
          state.endWork({ session: session.id, request: exchange.exchange });
        }
      },
      ended: ({ session, exchange }) => state.endWork({ session: session.id, request: exchange }),
      check: (text) => masker.check(text),
      conceal: (text, exchange) =>
        hold.conceal(text, exchange) ?? concealCursor(text, exchange.caller, { masker, sealer }),
      enter: createEnter(bundle, state),
      learn: (text, exchange) => {
        if (exchange.message.method === 'tools/list') state.parameters.learn(text);
        else state.tasks.learn(text, exchange);
      },
    },
  };
}

interface Parts {
  readonly name: string;
  readonly log: Logger;
  readonly sealer: Sealer;
  readonly masker: Masking;
  readonly databases: PostgresPolicy;
  readonly journal: Journal;
  readonly credentials: Credentials;
  readonly hold: Hold;
  readonly outbound: Outbound;
  readonly release: Release;
  readonly stages: Omit<Stages, 'forward'>;
}

async function compileParts(bundle: Bundle, state: GatewayState, deps: GatewayDeps): Promise<Parts> {
  const name = gatewayName(bundle.gateway);
  const log = deps.log.child({ gateway: name });
  const { now, recorder, metrics, approvals } = deps;
  const { known, parameters, schemas, states, tasks } = state;
  const sealer = createSealer(name, bundle.sealing);
  const hashKey = Buffer.from(bundle.hashKey, 'base64');
  const compiled = compileMasker(bundle.masking, { known, hashKey });
  const masker = createMasking({
    masker: compiled,
    thread: state.masking,
    policies: { masking: bundle.masking, hashKey },
  });
  const { onFailure } = bundle.recording;
  const journal = new Journal({ gateway: name, recorder, metrics, now, masker, onFailure });
  const credentials = createCredentials(bundle.credentials, state.leases);
  const guard = await compileGuard(bundle.rules);
  const statements = await compileStatementGuard(bundle.rules);
  const access = compileAccess(bundle.access, { taskTarget: (caller, id) => tasks.targetOf(caller, id) });
  const hold = createHold({
    gateway: name,
    approvals,
    states,
    sealer,
    masker,
    now,
    rejudge: (exchange) => {
      const now = state.current?.serve.stages ?? stages;
      return now.judge(now.authorize(exchange));
    },
    onPhase: (exchange, approval, phase) => journal.approval(exchange, approval, phase),
  });
  const visible: ReleaseDeps['visible'] = (recipient, target) => access.visible(recipient, target);
  const mayAsk = new Set(bundle.mayAsk);
  const tools = createToolIntegrity(bundle.tools, {
    known: state.tools,
    remember: true,
    onNews: () => state.toolReporter.due(),
    onChanged: (reason) => {
      log.warn({ reason }, 'a tool is not the one that was accepted');
      journal.notice({}, { code: 'tool_changed', reason });
    },
  });
  const release = createRelease({
    visible,
    masker,
    schemas,
    mayAsk,
    meets: (text, element) => tools.meets(text, element),
  });
  const stages: Parts['stages'] = {
    authorize: (exchange) => {
      const authorized = access.authorize(exchange);
      tools.check(authorized.message);
      return authorized;
    },
    judge: (exchange) => guard.judge(exchange),
    hold: hold.clear,
    credential: (exchange) => credentials.credential(exchange),
    // A stream may be older than the policy: what it brings leaves by the rules of now.
    release: (text, recipient) => (state.current?.release ?? release)(text, recipient),
  };
  // Last, when nothing can fail any more: what the policy no longer names is given back.
  await state.leases.use({
    credentials: bundle.credentials,
    vault: vaultSettings(bundle, deps.vaultTokenFile),
    limits: { held: bundle.limits.leases, mintsPerMinute: bundle.limits.leasesPerMinute },
  });
  return {
    name,
    log,
    sealer,
    masker,
    databases: {
      masker: compiled,
      policies: bundle.masking,
      judges: statements.judges,
      judge: (sql, call) => whyUnrecorded(journal) ?? refusalOf(statements.judge(sql, call), call),
    },
    journal,
    credentials,
    hold,
    outbound: createOutbound(masker, parameters, {
      allowed: mayAsk,
      restore: (text, exchange) => restoreCursor(text, exchange, sealer),
      onMasked: (outcome) => journal.counted(outcome),
    }),
    release,
    stages,
  };
}

/** A statement that could not be written down is not said. */
function whyUnrecorded(journal: Journal): string | undefined {
  try {
    journal.checkReady();
    return undefined;
  } catch (error) {
    return sentenceOf(error);
  }
}

/** Notifications and responses, and what passes beside the MCP path: answers to what was judged when it was asked. */
type Unjudged = ClientNotification | ClientResponse;

const ALLOWED: Judgement = {
  decision: 'allow',
  rule: undefined,
  ruleRevision: undefined,
  reason: 'No rule speaks of it.',
  risk: 0,
  parsed: { classes: [], targets: [], risk: [] },
  audited: [],
};

function passThrough(
  { server, limits }: Bundle,
  lend: (exchange: Identified<ClientNotification>) => Promise<Credentialed<ClientNotification>>,
): Gateway['passthrough'] {
  if (server.url === undefined || server.passthrough.length === 0) {
    return () =>
      Promise.reject(new Refusal('not_found', 'Nothing passes through here.', { status: 404, as: -32600 }));
  }
  const { origin } = new URL(server.url);
  const through = createPassthrough({
    origin,
    maxBodyBytes: limits.maxBodyBytes,
    timeoutMs: limits.callTimeoutMs,
  });
  return async ({ exchange, ...request }) => {
    const { inject } = await lend(exchange);
    return through.send({ ...request, headers: headersFor(inject) });
  };
}

function checkRate(rate: RateLimit, { caller }: Identified, perMinute: number): void {
  const wait = rate.take(`${caller.issuer}\0${caller.subject}`, perMinute);
  if (wait === 0) return;
  throw new Refusal(
    'rate_limited',
    `You made more than ${perMinute} calls a minute, which is this gateway's limit; try again in ${wait} s.`,
    {
      status: 429,
      as: -32603,
      headers: { 'Retry-After': String(wait) },
    },
  );
}
