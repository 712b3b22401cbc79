/** Opens connections to databases: to where our own resolution leads, under the same bans as any other call outward. */
import { connect } from 'node:net';
import { isLoopback } from '../../addresses.ts';
import { connected } from '../../connected.ts';
import { createReach, type ReachOptions } from '../../reach.ts';
import type { Dial } from './connect.ts';

const CONNECT_MS = 10_000;

/** TLS shows afterwards who is there. Throws EgressRefused for an address that no name may lead to. */
export function createDatabaseDial(options: ReachOptions): Dial {
  const endpointsOf = createReach(options);
  return async (host, port) => {
    const endpoints = await endpointsOf({
      destination: { host, port },
      // `localhost` means nothing but loopback (RFC 6761, 6.3).
      named: ({ address }) => address === host || (host === 'localhost' && isLoopback(address)),
    });
    return connected(endpoints, 'connect', CONNECT_MS, (lookup) => connect({ host, port, lookup }));
  };
}
