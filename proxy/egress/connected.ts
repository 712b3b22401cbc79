/** The connecting of every call outward: to addresses that were found before, in bounded time. */
import { once } from 'node:events';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Endpoint } from './resolve.ts';

const KEEP_ALIVE_MS = 60_000;

/** Opens what `connecting` begins, ready at `event`. Rejects with what the socket says, or with AbortError. */
export async function connected<S extends Socket>(
  endpoints: readonly Endpoint[],
  event: string,
  timeoutMs: number,
  connecting: (lookup: LookupFunction) => S,
): Promise<S> {
  const addresses = endpoints.map(({ address }) => ({ address, family: isIP(address) }));
  const socket = connecting((_name, _options, done) => {
    done(null, addresses);
  });
  try {
    await once(socket, event, { signal: AbortSignal.timeout(timeoutMs) });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return socket;
  } catch (cause) {
    socket.on('error', () => undefined).destroy();
    throw cause;
  }
}
