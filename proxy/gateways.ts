/** The gateways that this process serves, as the operator's last bundles say. */
import { join } from 'node:path';
import { gatewayName, type Bundle, type ServerSpec } from '#bundle';
import type { Applied } from '#control';
import { sentenceOf } from '../lib/errors.ts';
import { putEgress } from './egress-http.ts';
import type { HttpEgress } from './egress/http/index.ts';
import type { FilePlace } from './credential/files.ts';
import type { LenderDeps } from './credential/lender.ts';
import { GatewayState, type StateDeps } from './gateway-state.ts';
import { assembleGateway, type GatewayDeps } from './assemble.ts';
import type { Gateway } from './gateway.ts';
import { createRouter, type Router } from './receive/route.ts';
import type { Upstream } from './upstream.ts';

export interface GatewaysDeps extends GatewayDeps, StateDeps {
  readonly lending: Pick<LenderDeps, 'files' | 'clock' | 'random' | 'lookup'>;
  /** What outlives a restart of this process. */
  readonly stateDir: string;
  readonly connect: (server: ServerSpec, bundle: Bundle, state: GatewayState) => Upstream;
  /** Where the server of a gateway reads credentials from; `own` is the name of no other gateway. */
  readonly filePlace: (own: string) => FilePlace | undefined;
  /** Ways of a gateway's server to the outside. Undefined where this process offers none. */
  readonly egress: HttpEgress | undefined;
}

interface Entry {
  readonly state: GatewayState;
  gateway: Gateway;
  prefix: string;
}

/** What runs through the old way to a server when a gateway gets another one has this long to end. */
const GRACE_MS = 30_000;

export class Gateways {
  readonly #deps: GatewaysDeps;
  readonly #entries = new Map<string, Entry>();
  #router: Router<Gateway> | undefined;

  constructor(deps: GatewaysDeps) {
    this.#deps = deps;
  }

  /** Undefined until the first bundles are in force. */
  get router(): Router<Gateway> | undefined {
    return this.#router;
  }

  list(): readonly Gateway[] {
    return [...this.#entries.values()].map((entry) => entry.gateway);
  }

  /** Puts a whole set in force. A bundle that cannot be compiled leaves its gateway as it was; what is missing ends. */
  async apply(bundles: readonly Bundle[]): Promise<Applied[]> {
    const names = new Set(bundles.map((bundle) => gatewayName(bundle.gateway)));
    for (const name of [...this.#entries.keys()]) if (!names.has(name)) await this.#remove(name);
    const applied: Applied[] = [];
    for (const bundle of bundles)
      applied.push(
        await this.#applyOne(bundle, bundles.length === 1 ? '' : `/${gatewayName(bundle.gateway)}`),
      );
    this.#router = createRouter([...this.#entries.values()].map(({ gateway }) => mountOf(gateway)));
    return applied;
  }

  sweep(): void {
    for (const { gateway } of this.#entries.values())
      gateway.sessions.sweep(gateway.bundle.limits.sessionIdleMs);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.#remove(name)));
  }

  async #applyOne(bundle: Bundle, prefix: string): Promise<Applied> {
    const name = gatewayName(bundle.gateway);
    const { revision } = bundle;
    const before = this.#entries.get(name);
    before?.state.tools.keep(bundle.firstSeen.pins);
    if (before?.gateway.bundle.revision === revision && before.prefix === prefix)
      return { gateway: name, revision };
    try {
      await this.#put(name, bundle, prefix);
      this.#deps.metrics.bundle(name, revision);
      return { gateway: name, revision };
    } catch (error) {
      this.#deps.log.error(
        { gateway: name, err: error },
        'a bundle cannot be put in force; the one before it stays',
      );
      return { gateway: name, revision, error: sentenceOf(error) };
    }
  }

  async #put(name: string, bundle: Bundle, prefix: string): Promise<void> {
    const before = this.#entries.get(name);
    const state = before?.state ?? this.#newState(name);
    state.tools.keep(bundle.firstSeen.pins);
    const same =
      before !== undefined && JSON.stringify(before.gateway.bundle.server) === JSON.stringify(bundle.server);
    const upstream = same ? before.gateway.upstream : this.#deps.connect(bundle.server, bundle, state);
    const listenUrl = `${this.#deps.listenUrl}${prefix}`;
    const gateway = await assembleGateway(bundle, state, upstream, { ...this.#deps, listenUrl });
    await this.#putEgress(bundle, state, gateway);
    await state.databases.put(bundle);
    await state.files.put(bundle.credentials);
    state.current = gateway;
    this.#entries.set(name, { state, gateway, prefix });
    if (before !== undefined && !same)
      setTimeout(() => void before.gateway.upstream.close(), GRACE_MS).unref();
  }

  async #putEgress(bundle: Bundle, state: GatewayState, gateway: Gateway): Promise<void> {
    const { egress, now, log } = this.#deps;
    if (egress !== undefined) await putEgress(egress, { bundle, state, gateway, now });
    else if (bundle.egress !== undefined)
      log.warn(
        { gateway: gateway.name },
        'this pod was made before its gateway had egress; it takes effect when the pod is made again',
      );
  }

  #newState(gateway: string): GatewayState {
    const { lending, metrics, log, stateDir, filePlace } = this.#deps;
    // Neither part of a name holds "_".
    const own = gateway.replace('/', '_');
    const journalFile = join(stateDir, 'leases', `${own}.jsonl`);
    const place = filePlace(own);
    const leasing = { ...lending, gateway, metrics, log: log.child({ gateway }), journalFile, place };
    return new GatewayState(gateway, this.#deps, leasing);
  }

  async #remove(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    entry.state.sessions.close();
    entry.state.toolReporter.close();
    this.#deps.egress?.remove(name);
    await Promise.all([entry.gateway.upstream.close(), entry.state.databases.close()]);
    await entry.state.files.close();
    await entry.state.leases.close();
    await entry.state.masking.close();
    this.#deps.metrics.bundleRemoved(name);
  }
}

function mountOf(gateway: Gateway): Parameters<typeof createRouter<Gateway>>[0][number] {
  const { server, publicUrl } = gateway.bundle;
  return {
    gateway,
    name: gateway.name,
    path: server.path,
    publicPath: publicUrl === undefined ? undefined : new URL(publicUrl).pathname,
    passthrough: server.passthrough,
  };
}
