/** Opens connections to the outside: resolved by us, checked by address, and to nothing that only the sidecar may reach. */
import { once } from 'node:events';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { sentenceOf } from '../../lib/errors.ts';
import { contextTrusting } from '../lib/roots.ts';
import { isForbiddenAddress, isLoopback } from './addresses.ts';
import { formatDestination, type Destination } from './destination.ts';
import { EgressRefused } from './refused.ts';
import type { Endpoint, Resolve } from './resolve.ts';

export interface DialOptions {
  readonly resolve: Resolve;
  /** The operator and the recorder: reached by the sidecar for itself alone, whatever a gateway allows. */
  readonly reserved: readonly Destination[];
  /** Roots that vouch for upstreams, PEM. */
  readonly roots: readonly string[];
  readonly connectTimeoutMs: number;
}

export interface Dialled {
  readonly destination: Destination;
  /** Whether a gateway names this very address and port, which lifts the ban on addresses of its kind. */
  readonly named: (endpoint: Endpoint) => boolean;
}

export interface Dial {
  /** Throws EgressRefused. */
  plain(to: Dialled): Promise<Socket>;
  /** Verified by the roots and the name. Throws EgressRefused. */
  secure(to: Dialled, protocols: readonly string[]): Promise<TLSSocket>;
}

export function createDial(options: DialOptions): Dial {
  const { resolve, reserved, connectTimeoutMs } = options;
  const secureContext = contextTrusting(options.roots);

  const isReserved = async ({ address, port }: Endpoint): Promise<boolean> => {
    for (const own of reserved) {
      const places = await resolve(own.host, own.port).catch(() => []);
      // A Service has its address for itself; on loopback only the port tells who listens.
      if (places.some((place) => place.address === address && (!isLoopback(address) || place.port === port)))
        return true;
    }
    return false;
  };

  const endpointsOf = async ({ destination, named }: Dialled): Promise<readonly Endpoint[]> => {
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
      `${formatDestination(destination)} leads to ${found.map(({ address }) => address).join(', ')}, which is of this machine, of the installation or a metadata service; a gateway can allow such an address only by naming it in spec.egress.allow.`,
    );
  };

  const open = async <S extends Socket>(
    to: Dialled,
    event: string,
    connecting: (port: number, lookup: LookupFunction) => S,
  ): Promise<S> => {
    const endpoints = await endpointsOf(to);
    const addresses = endpoints.map(({ address }) => ({ address, family: isIP(address) }));
    const [first] = endpoints;
    const socket = connecting(first?.port ?? to.destination.port, (_name, _options, done) => {
      done(null, addresses);
    });
    try {
      await once(socket, event, { signal: AbortSignal.timeout(connectTimeoutMs) });
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      return socket;
    } catch (cause) {
      socket.on('error', () => undefined).destroy();
      throw unreachable(to.destination, cause);
    }
  };

  return {
    plain: (to) =>
      open(to, 'connect', (port, lookup) =>
        connect({ host: to.destination.host, port, lookup, allowHalfOpen: true }),
      ),
    secure: (to, protocols) =>
      open(to, 'secureConnect', (port, lookup) => {
        const { host } = to.destination;
        return connectTls({
          host,
          port,
          lookup,
          secureContext,
          ALPNProtocols: [...protocols],
          ...(isIP(host) === 0 ? { servername: host } : {}),
        });
      }),
  };
}

const KEEP_ALIVE_MS = 60_000;

/** To connect to an address of the pod's own is to connect to loopback. */
function ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address)),
  );
}

function unreachable(destination: Destination, cause: unknown): EgressRefused {
  const timedOut = cause instanceof Error && cause.name === 'AbortError';
  return new EgressRefused(
    'upstream_unavailable',
    `${formatDestination(destination)} could not be reached: ${timedOut ? 'it did not answer in time' : sentenceOf(cause)}.`,
    { cause },
  );
}
