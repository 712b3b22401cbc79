import { once } from 'node:events';
import { connect, isIP, type LookupFunction } from 'node:net';
import type { Resolve } from '../../resolve.ts';
import type { Dial } from './connect.ts';

const CONNECT_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;

/** Connects to where a name leads, by `resolve` or else as this machine does. TLS shows afterwards who is there. */
export function createDatabaseDial(resolve: Resolve | undefined): Dial {
  return async (host, port) => {
    const lookup = resolve === undefined ? {} : { lookup: lookupOf(await resolve(host, port)) };
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      ...lookup,
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

function lookupOf(endpoints: Awaited<ReturnType<Resolve>>): LookupFunction {
  const addresses = endpoints.map(({ address }) => ({ address, family: isIP(address) }));
  return (_name, _options, done) => done(null, addresses);
}
