/** Where names lie, asked of the installation's resolvers alone: /etc/hosts and resolv.conf are the pod's to change. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Lru } from '../../lib/lru.ts';
import { EgressRefused } from './refused.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Never empty; throws EgressRefused for a name that does not resolve. */
export type Resolve = (host: string, port: number) => Promise<readonly Endpoint[]>;

export interface ResolveOptions {
  /** `address` or `address:port`; without any, those of this process's machine. */
  readonly servers: readonly string[];
  /** What `NAME.NAMESPACE.svc` is completed with. */
  readonly clusterDomain: string;
  readonly now: () => number;
}

interface Answer {
  readonly addresses: readonly string[];
  readonly until: number;
}

const KEPT_MAX_MS = 30_000;
const NAMES_KEPT = 1024;

export function createResolve({ servers, clusterDomain, now }: ResolveOptions): Resolve {
  const resolver = new Resolver({ timeout: 2_000, tries: 3 });
  if (servers.length > 0) resolver.setServers([...servers]);
  const known = new Lru<string, Answer>(NAMES_KEPT);

  const ask = async (host: string): Promise<Answer> => {
    const name = host.endsWith('.svc') ? `${host}.${clusterDomain}` : host;
    const [four, six] = await Promise.allSettled([
      resolver.resolve4(name, { ttl: true }),
      resolver.resolve6(name, { ttl: true }),
    ]);
    const found = [four, six].flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    if (found.length === 0) {
      const code = four.status === 'rejected' ? codeOf(four.reason) : 'no address';
      throw new EgressRefused('upstream_unavailable', `The name ${host} has no address (${code}).`);
    }
    const ttl = Math.min(...found.map((record) => record.ttl * 1000), KEPT_MAX_MS);
    return { addresses: found.map(({ address }) => address), until: now() + ttl };
  };

  return async (host, port) => {
    if (isIP(host) !== 0) return [{ address: host, port }];
    let answer = known.get(host);
    if (answer === undefined || answer.until <= now()) {
      answer = await ask(host);
      known.set(host, answer);
    }
    return answer.addresses.map((address) => ({ address, port }));
  };
}

/** As this machine finds names: for one that is its user's own. */
export const resolveAsMachine: Resolve = async (host, port) => {
  const found = await lookup(host, { all: true }).catch((cause: unknown) => {
    const sentence = `The name ${host} has no address (${codeOf(cause)}).`;
    throw new EgressRefused('upstream_unavailable', sentence, { cause });
  });
  return found.map(({ address }) => ({ address, port }));
};

function codeOf(reason: unknown): string {
  return reason instanceof Error && 'code' in reason ? String(reason.code) : 'unknown error';
}
