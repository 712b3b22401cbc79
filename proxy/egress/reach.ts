/** Where a destination may be reached: where our own resolution leads, less what only the sidecar may reach. */
import { networkInterfaces } from 'node:os';
import { isForbiddenAddress, isLoopback } from './addresses.ts';
import { formatDestination, type Destination } from './destination.ts';
import { EgressRefused } from './refused.ts';
import type { Endpoint, Resolve } from './resolve.ts';

export interface ReachOptions {
  readonly resolve: Resolve;
  /** The operator and the recorder: reached by the sidecar for itself alone, whatever a gateway allows. */
  readonly reserved: readonly Destination[];
}

export interface Dialled {
  readonly destination: Destination;
  /** Whether a gateway names this very address and port, which lifts the ban on addresses of its kind. */
  readonly named: (endpoint: Endpoint) => boolean;
}

/** Never empty; throws EgressRefused. */
export type Reach = (to: Dialled) => Promise<readonly Endpoint[]>;

export function createReach({ resolve, reserved }: ReachOptions): Reach {
  const isReserved = async ({ address, port }: Endpoint): Promise<boolean> => {
    for (const own of reserved) {
      const places = await resolve(own.host, own.port).catch(() => []);
      // A Service has its address for itself; on loopback only the port tells who listens.
      if (places.some((place) => place.address === address && (!isLoopback(address) || place.port === port)))
        return true;
    }
    return false;
  };

  return async ({ destination, named }) => {
    const found = await resolve(destination.host, destination.port);
    const own = ownAddresses();
    const allowed: Endpoint[] = [];
    for (const endpoint of found) {
      const banned = (isForbiddenAddress(endpoint.address) || own.has(endpoint.address)) && !named(endpoint);
      if (!banned && !(await isReserved(endpoint))) allowed.push(endpoint);
    }
    if (allowed.length > 0) return allowed;
    throw new EgressRefused(
      'address_refused',
      `${formatDestination(destination)} leads to ${found.map(({ address }) => address).join(', ')}, which is of this machine, of the installation or a metadata service; a gateway can allow such an address only by naming it, in spec.egress.allow or as the upstream of a database.`,
    );
  };
}

/** To connect to an address of the pod's own is to connect to loopback. */
function ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address)),
  );
}
