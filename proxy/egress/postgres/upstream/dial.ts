/** Opens connections to databases: to where our own resolution leads, under the same bans as any other call outward. */
import { once } from 'node:events';
import { connect, isIP, type LookupFunction } from 'node:net';
import { isLoopback } from '../../addresses.ts';
import { createReach, type ReachOptions } from '../../reach.ts';
import type { Endpoint } from '../../resolve.ts';
import type { Dial } from './connect.ts';

const CONNECT_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;

/** TLS shows afterwards who is there. Throws EgressRefused for an address that no name may lead to. */
export function createDatabaseDial(options: ReachOptions): Dial {
  const endpointsOf = createReach(options);
  return async (host, port) => {
    const endpoints = await endpointsOf({
      destination: { host, port },
      // `localhost` means nothing but loopback (RFC 6761, 6.3).
      named: ({ address }) => address === host || (host === 'localhost' && isLoopback(address)),
    });
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      lookup: lookupOf(endpoints),
    });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) });
      return socket;
    } catch (error) {
      socket.on('error', () => undefined).destroy();
      throw error;
    }
  };
}

function lookupOf(endpoints: readonly Endpoint[]): LookupFunction {
  const addresses = endpoints.map(({ address }) => ({ address, family: isIP(address) }));
  return (_name, _options, done) => done(null, addresses);
}
