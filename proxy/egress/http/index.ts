/** The HTTP(S) egress of a process: nothing of it exists before a gateway needs it. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { environmentFor } from '../../../crds/egress-environment.ts';
import type { KeyPair } from '../../../lib/certificates.ts';
import { writeFileDurably } from '../../../lib/durable-file.ts';
import { formatAddress, listen, type Address } from '../../../lib/listen.ts';
import type { Logger } from '../../../lib/log.ts';
import { rootsWith } from '../../lib/roots.ts';
import type { Destination } from '../destination.ts';
import { createDial, type Dial } from '../dial.ts';
import type { Resolve } from '../resolve.ts';
import { createEgressGateway, type EgressGateway, type EgressSpec, type HttpEgressDeps } from './gateway.ts';
import { createEgressListener, type TokenHolder } from './listener.ts';
import { Placeholders } from './placeholders.ts';
import { leafContexts, openAuthority } from './trust/authority.ts';
import { writeTrustFiles } from './trust/files.ts';

export interface HttpEgressOptions {
  readonly listen: Address;
  readonly resolve: Resolve;
  /** The operator and the recorder. */
  readonly reserved: readonly Destination[];
  /** Where the CA is kept. */
  readonly authorityDirectory: string;
  /** Where the app finds what it has to trust. */
  readonly trustDirectory: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** What a process of a session's own gets into its environment. */
export interface ProcessProof {
  readonly environment: Readonly<Record<string, string>>;
  /** The process has ended: its proofs stand for nobody any more. */
  readonly end: () => void;
}

interface Running {
  readonly server: Server;
  readonly address: Address;
  readonly authority: KeyPair;
}

/** By whom upstreams are vouched for, and how they are reached. `more`: PEM, beside the system's. */
interface Trust {
  readonly more: string | undefined;
  readonly dial: Dial;
}

const CONNECT_MS = 10_000;
/** What is on the machine itself is not called through a proxy. */
const NO_PROXY: readonly string[] = ['localhost', '127.0.0.1', '::1'];

export class HttpEgress {
  readonly #options: HttpEgressOptions;
  readonly #gateways = new Map<string, EgressGateway>();
  readonly #placeholders = new Placeholders();
  readonly #tokens = new Map<string, TokenHolder>();
  #running: Promise<Running> | undefined;
  #address: Address | undefined;
  /** As the last bundle had it: the installation says it, and says the same of all gateways. */
  #trust: Trust | undefined;

  constructor(options: HttpEgressOptions) {
    this.#options = options;
  }

  /** Puts the outward side of a gateway in force. `moreRoots`: PEM, beside the system's. Throws ListenError. */
  async put(spec: EgressSpec, moreRoots: string | undefined, deps: HttpEgressDeps): Promise<void> {
    const running = await (this.#running ??= this.#start(moreRoots));
    const { dial } = await this.#trusting(moreRoots, running.authority);
    const before = this.#gateways.get(spec.name);
    const gateway = createEgressGateway(spec, this.#placeholders, dial, deps);
    this.#gateways.set(spec.name, gateway);
    before?.close();
    if (!spec.ownProcesses) await this.#writeEnvironment(gateway, running);
  }

  remove(name: string): void {
    this.#gateways.get(name)?.close();
    this.#gateways.delete(name);
  }

  /** For a process that serves one session: the proxy knows by its own proof whose calls it makes. */
  proofFor(
    name: string,
    session: string,
    bind: (placeholder: string, session: string) => () => void,
  ): ProcessProof {
    const gateway = this.#gateways.get(name);
    const address = this.#address;
    if (gateway === undefined || address === undefined) return { environment: {}, end: () => undefined };
    const token = randomBytes(24).toString('base64url');
    this.#tokens.set(token, { gateway: name, ofSession: true });
    const ends = [bind(token, session), () => this.#tokens.delete(token)];
    const placeholders: Record<string, string> = {};
    for (const { name: credential, placeholder, env } of gateway.credentials) {
      if (placeholder === undefined || env === undefined) continue;
      const value = `${placeholder.prefix}${randomBytes(16).toString('hex')}`;
      ends.push(this.#placeholders.add(value, { gateway: name, credential }), bind(value, session));
      placeholders[env] = value;
    }
    const environment = environmentFor({
      proxyUrl: `http://session:${token}@${formatAddress(address)}`,
      trustDirectory: this.#options.trustDirectory,
      noProxy: NO_PROXY,
      placeholders,
    });
    return { environment, end: () => ends.forEach((end) => end()) };
  }

  async close(): Promise<void> {
    for (const name of [...this.#gateways.keys()]) this.remove(name);
    const running = await this.#running?.catch(() => undefined);
    running?.server.close();
  }

  /** For servers that a person starts: a file to be sourced. */
  async #writeEnvironment(gateway: EgressGateway, { address, authority }: Running): Promise<void> {
    const { trustDirectory } = this.#options;
    // The same after a restart of this process, which those servers outlive.
    const token = createHmac('sha256', authority.key).update(`proxy ${gateway.name}`).digest('base64url');
    this.#tokens.set(token, { gateway: gateway.name, ofSession: false });
    const environment = environmentFor({
      proxyUrl: `http://gateway:${token}@${formatAddress(address)}`,
      trustDirectory,
      noProxy: NO_PROXY,
      placeholders: Object.fromEntries(
        gateway.credentials.flatMap(({ env, placeholder }) =>
          env === undefined || placeholder === undefined ? [] : [[env, placeholder.value]],
        ),
      ),
    });
    // No value holds a quote.
    const text = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'\n`);
    const only = this.#gateways.size === 1;
    for (const file of [`${gateway.name.replace('/', '_')}.env`, ...(only ? ['env'] : [])])
      await writeFileDurably(join(trustDirectory, file), text.join(''));
  }

  async #trusting(more: string | undefined, authority: KeyPair): Promise<Trust> {
    if (this.#trust !== undefined && this.#trust.more === more) return this.#trust;
    const { trustDirectory, resolve, reserved, now } = this.#options;
    const roots = rootsWith(more);
    await writeTrustFiles(trustDirectory, authority.cert, roots, now());
    this.#trust = { more, dial: createDial({ resolve, reserved, roots, connectTimeoutMs: CONNECT_MS }) };
    return this.#trust;
  }

  async #start(moreRoots: string | undefined): Promise<Running> {
    const { authorityDirectory, now, log, listen: wanted } = this.#options;
    try {
      const authority = await openAuthority(authorityDirectory, now());
      // Before anybody can be told that the egress is there.
      await this.#trusting(moreRoots, authority);
      const server = createEgressListener({
        gateways: () => [...this.#gateways.values()],
        holderOf: (token) => this.#tokens.get(token),
        contextFor: leafContexts(authority, now),
        log,
      });
      const address = await listen(server, wanted);
      this.#address = address;
      return { server, address, authority };
    } catch (error) {
      // The next bundle may find the port free.
      this.#running = undefined;
      throw error;
    }
  }
}
