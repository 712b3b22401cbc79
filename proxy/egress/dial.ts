/** Opens connections to the outside: resolved by us, checked by address, and to nothing that only the sidecar may reach. */
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { sentenceOf } from '../../lib/errors.ts';
import { contextTrusting } from '../lib/roots.ts';
import { connected } from './connected.ts';
import { formatDestination, type Destination } from './destination.ts';
import { createReach, type Dialled, type ReachOptions } from './reach.ts';
import { EgressRefused } from './refused.ts';

export interface DialOptions extends ReachOptions {
  /** Roots that vouch for upstreams, PEM. */
  readonly roots: readonly string[];
  readonly connectTimeoutMs: number;
}

export interface Dial {
  /** Throws EgressRefused. */
  plain(to: Dialled): Promise<Socket>;
  /** Verified by the roots and the name. Throws EgressRefused. */
  secure(to: Dialled, protocols: readonly string[]): Promise<TLSSocket>;
}

export function createDial(options: DialOptions): Dial {
  const { connectTimeoutMs } = options;
  const endpointsOf = createReach(options);
  const secureContext = contextTrusting(options.roots);

  const open = async <S extends Socket>(
    to: Dialled,
    event: string,
    connecting: (port: number, lookup: LookupFunction) => S,
  ): Promise<S> => {
    const endpoints = await endpointsOf(to);
    const port = endpoints[0]?.port ?? to.destination.port;
    try {
      return await connected(endpoints, event, connectTimeoutMs, (lookup) => connecting(port, lookup));
    } catch (cause) {
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

function unreachable(destination: Destination, cause: unknown): EgressRefused {
  const timedOut = cause instanceof Error && cause.name === 'AbortError';
  return new EgressRefused(
    'upstream_unavailable',
    `${formatDestination(destination)} could not be reached: ${timedOut ? 'it did not answer in time' : sentenceOf(cause)}.`,
    { cause },
  );
}
