/** A listener of the installation: HTTPS with a certificate that is replaced while it runs. */
import type { Express } from 'express';
import { createServer, type Server } from 'node:https';
import type { KeyPair } from '../../lib/certificates.ts';
import type { Clock } from '../../lib/clock.ts';
import { sentenceOf } from '../../lib/errors.ts';
import { formatAddress, listen, type Address } from '../../lib/listen.ts';
import type { Logger } from '../../lib/log.ts';
import { closeServer } from '../../lib/server-close.ts';

export interface TlsServerOptions {
  readonly listen: Address;
  /** The certificate as it should be now; asked at the start and then every `checkEveryMs`. */
  readonly certificate: () => Promise<KeyPair>;
  readonly checkEveryMs: number;
}

export interface TlsServer {
  readonly url: string;
  /** Cuts what does not end by itself, as bundle streams never do. */
  close(): Promise<void>;
}

const GRACE_MS = 500;

export async function startTlsServer(
  app: Express,
  options: TlsServerOptions,
  deps: { clock: Clock; log: Logger },
): Promise<TlsServer> {
  const { clock, log } = deps;
  const { certificate, checkEveryMs } = options;
  const { cert, key } = await certificate();
  const server: Server = createServer({ cert, key, minVersion: 'TLSv1.3' }, app);
  const address = await listen(server, options.listen);

  const renew = (): void => {
    stopRenewal = clock.after(checkEveryMs, renew);
    certificate().then(
      (next) => server.setSecureContext({ cert: next.cert, key: next.key }),
      (error: unknown) =>
        log.error({ reason: sentenceOf(error) }, 'The certificate of a listener could not be renewed.'),
    );
  };
  let stopRenewal = clock.after(checkEveryMs, renew);

  return {
    url: `https://${formatAddress(address)}`,
    close: async () => {
      stopRenewal();
      await closeServer(server, GRACE_MS);
    },
  };
}
