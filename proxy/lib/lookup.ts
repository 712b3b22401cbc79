/** Where the installation's servers lie, asked of its resolvers alone: /etc/hosts and resolv.conf are the pod's to change. */
import { Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';

export interface NameServers {
  /** `address` or `address:port`. */
  readonly resolvers: readonly string[];
  /** What `NAME.NAMESPACE.svc` is completed with. */
  readonly clusterDomain: string;
}

/** Without a resolver, `undefined`: the names are this machine's own to know. */
export function lookupBy({ resolvers, clusterDomain }: NameServers): LookupFunction | undefined {
  if (resolvers.length === 0) return undefined;
  const resolver = new Resolver({ timeout: 2_000, tries: 3 });
  resolver.setServers([...resolvers]);
  return (host, { all }, callback) => {
    const name = host.endsWith('.svc') ? `${host}.${clusterDomain}` : host;
    addressesOf(name, resolver).then(
      (found) => {
        const [first = { address: '', family: 4 }] = found;
        if (all === true) callback(null, found);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ''),
    );
  };
}

/** Rejects with what the resolver said where there is no address of either family. */
async function addressesOf(name: string, resolver: Resolver): Promise<{ address: string; family: number }[]> {
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = [
    ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
    ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
  ];
  if (found.length > 0) return found;
  throw four.status === 'rejected' ? four.reason : new Error(`${name} has no address`);
}
