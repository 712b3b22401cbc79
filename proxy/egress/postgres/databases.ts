/** The ports of a gateway behind which databases lie: opened and closed as its bundle says. */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { SecureContext } from 'node:tls';
import type { Bundle, Credential } from '../../../crds/bundle.ts';
import { databaseUrl } from '../../../crds/database-url.ts';
import { certificatesIn } from '../../../lib/pem.ts';
import { rootsWith } from '../../lib/roots.ts';
import { loadSessionEffects, type ReadEffects } from '../../engine/sql/postgres/session-effects.ts';
import type { EndedWork, PostgresDeps, PostgresTarget } from './deps.ts';
import { remembered } from './conversation.ts';
import { PostgresListener } from './listener.ts';
import { podCertificate } from './pod-certificate.ts';
import type { LeasedLogin } from './upstream/session.ts';

export interface DatabasesDeps<L extends LeasedLogin> extends Omit<PostgresDeps<L>, 'readEffects'> {
  /** Where the pod's CA is kept. */
  readonly authorityDirectory: string;
  /** The only ports that may be opened, for which the pod was made; undefined: any. */
  readonly databasePorts: readonly number[] | undefined;
}

/** What a process that serves one session gets in its environment. */
export interface DatabaseProof {
  readonly environment: Readonly<Record<string, string>>;
  /** The process has ended: its proof stands for nobody any more. */
  readonly end: () => void;
}

type PostgresCredential = Pick<Credential, 'name' | 'scope' | 'whenShared'> & {
  readonly inject: Extract<Credential['inject'], { postgres: unknown }>;
};

type PostgresBundle = Pick<Bundle, 'credentials' | 'server' | 'upstreamRoots'>;

export class Databases<L extends LeasedLogin> {
  readonly #deps: DatabasesDeps<L>;
  readonly #open = new Map<number, { readonly key: string; readonly listener: PostgresListener<L> }>();
  #credentials: readonly PostgresCredential[] = [];
  #parts: Promise<{ readonly tls: () => SecureContext; readonly readEffects: ReadEffects }> | undefined;

  constructor(deps: DatabasesDeps<L>) {
    this.#deps = deps;
  }

  /** Puts the ports of a bundle in force; one that is as it was goes on. Throws ListenError. */
  async put({ credentials, server, upstreamRoots }: PostgresBundle): Promise<void> {
    const wanted = credentials.filter(isPostgres).filter((credential) => this.#isPodMadeFor(credential));
    // A stdio server is a process a session, which gives a password of its own.
    const asksPassword = server.transport === 'Stdio';
    const targets = new Map(
      wanted.map((credential) => [credential.inject.postgres.listen, targetOf(credential, upstreamRoots)]),
    );
    for (const [port, { key }] of [...this.#open]) {
      const target = targets.get(port);
      if (target === undefined || keyOf(target, asksPassword) !== key) await this.#close(port);
    }
    for (const [port, target] of targets) {
      if (!this.#open.has(port)) await this.#listen(target, asksPassword);
    }
    this.#credentials = wanted;
  }

  /** Calls in flight have changed. */
  reconsider(): void {
    for (const { listener } of this.#open.values()) listener.reconsider();
  }

  /** Work is over, and its leases with it. */
  forget(work: EndedWork): void {
    for (const { listener } of this.#open.values()) listener.forget(work);
  }

  /** For a process that serves one session: connections that give its password are that session's. */
  proofFor(session: string, bind: (placeholder: string, session: string) => () => void): DatabaseProof {
    const named = this.#credentials.filter(({ inject }) => inject.postgres.env !== undefined);
    if (named.length === 0) return { environment: {}, end: () => undefined };
    const password = randomBytes(24).toString('base64url');
    const urls = named.map(
      ({ inject: { postgres } }) => [postgres.env ?? '', databaseUrl(postgres, password)] as const,
    );
    return { environment: Object.fromEntries(urls), end: bind(password, session) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((port) => this.#close(port)));
  }

  /** On a port that the pod's network rules do not know of, anybody of the pod could listen and connect. */
  #isPodMadeFor({ name, inject }: PostgresCredential): boolean {
    const { databasePorts, log } = this.#deps;
    const port = inject.postgres.listen;
    if (databasePorts === undefined || databasePorts.includes(port)) return true;
    log.warn(
      { credential: name, port },
      'this pod was made before its gateway had a database on this port; it takes effect when the pod is made again',
    );
    return false;
  }

  async #listen(target: PostgresTarget, asksPassword: boolean): Promise<void> {
    this.#parts ??= this.#load();
    const { tls, readEffects } = await this.#parts;
    const listener = new PostgresListener(target, { tls, asksPassword }, { ...this.#deps, readEffects });
    await listener.open(loopback());
    this.#open.set(target.listen, { key: keyOf(target, asksPassword), listener });
  }

  /** What only a gateway with a database needs. */
  async #load(): Promise<{ readonly tls: () => SecureContext; readonly readEffects: ReadEffects }> {
    const { authorityDirectory, now } = this.#deps;
    return {
      tls: await podCertificate(authorityDirectory, now),
      readEffects: remembered(await loadSessionEffects()),
    };
  }

  async #close(port: number): Promise<void> {
    const open = this.#open.get(port);
    this.#open.delete(port);
    await open?.listener.close();
  }
}

/** Of both families, where the machine has both: `localhost` may be either. */
function loopback(): string[] {
  const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  );
  return hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

function isPostgres(credential: Credential): credential is Credential & PostgresCredential {
  return 'postgres' in credential.inject;
}

function targetOf(
  { name, scope, whenShared, inject: { postgres } }: PostgresCredential,
  upstreamRoots: string | undefined,
): PostgresTarget {
  const { listen, upstream, database, caBundle } = postgres;
  // One login for all: whose call it is makes no difference to it.
  const shared = scope === 'Pod' ? 'Pod' : whenShared;
  return {
    credential: name,
    scope,
    whenShared: shared,
    listen,
    upstream: { ...upstream, database, roots: rootsOf(caBundle, upstreamRoots) },
  };
}

/** What a gateway says of its own database holds alone. */
function rootsOf(own: string | undefined, more: string | undefined): readonly string[] | undefined {
  if (own !== undefined) return certificatesIn(own);
  return more === undefined ? undefined : rootsWith(more);
}

function keyOf(target: PostgresTarget, asksPassword: boolean): string {
  return JSON.stringify([target, asksPassword]);
}
