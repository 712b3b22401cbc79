/** The control API's listener: HTTPS with a certificate of the installation that is renewed while it runs. */
import type { Express } from 'express';
import { createServer, type Server } from 'node:https';
import type { KeyPair } from '../../lib/certificates.ts';
import type { Clock } from '../../lib/clock.ts';
import { sentenceOf } from '../../lib/errors.ts';
import { formatAddress, listen, type Address } from '../../lib/listen.ts';
import type { Logger } from '../../lib/log.ts';
import { closeServer } from '../../lib/server-close.ts';
import type { Pki } from '../keys/pki.ts';

export interface ControlServer {
  readonly url: string;
  /** Cuts the bundle streams, which never end by themselves. */
  close(): Promise<void>;
}

const RENEWAL_CHECK_MS = 12 * 3_600_000;
const GRACE_MS = 500;

export async function startControlServer(
  app: Express,
  options: { listen: Address; hosts: readonly string[] },
  deps: { pki: Pki; clock: Clock; log: Logger },
): Promise<ControlServer> {
  const { pki, clock, log } = deps;
  const leaf = (): Promise<KeyPair> => pki.server('control', options.hosts, clock.now());
  const { cert, key } = await leaf();
  const server: Server = createServer({ cert, key, minVersion: 'TLSv1.3' }, app);
  const address = await listen(server, options.listen);

  const renew = (): void => {
    stopRenewal = clock.after(RENEWAL_CHECK_MS, renew);
    leaf().then(
      (next) => server.setSecureContext({ cert: next.cert, key: next.key }),
      (error: unknown) =>
        log.error({ reason: sentenceOf(error) }, 'The control certificate could not be renewed.'),
    );
  };
  let stopRenewal = clock.after(RENEWAL_CHECK_MS, renew);

  return {
    url: `https://${formatAddress(address)}`,
    close: async () => {
      stopRenewal();
      await closeServer(server, GRACE_MS);
    },
  };
}
