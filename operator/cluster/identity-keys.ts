/** The issuer and keys of the cluster's service accounts, as the API server publishes them. */
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { ClusterIdentity } from '../compile/index.ts';
import { createBackoff } from '../source/kubernetes/backoff.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';

const discovery = z.object({ issuer: z.string().min(1) });
const keySet = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .min(1)
    .max(64),
});

const REFRESH_MS = 5 * 60_000;

export interface IdentityKeys {
  /** `undefined` until they were fetched for the first time; what was fetched stays when the API server is away. */
  current(): ClusterIdentity | undefined;
  stop(): void;
}

/** Fetches at once and then every few minutes; `onChange` is told of the first keys and of others. */
export function followIdentityKeys(
  onChange: () => void,
  deps: { client: Pick<KubeClient, 'request'>; clock: Clock; log: Logger; random: () => number },
): IdentityKeys {
  const { client, clock, log, random } = deps;
  const backoff = createBackoff({ firstMs: 500, mostMs: 30_000, random });
  let current: ClusterIdentity | undefined;
  let stopped = false;
  let disarm: () => void = () => undefined;

  const fetchKeys = async (): Promise<ClusterIdentity> => {
    const { issuer } = discovery.parse(
      await client.request({ method: 'GET', path: '/.well-known/openid-configuration' }),
    );
    return { issuer, jwks: keySet.parse(await client.request({ method: 'GET', path: '/openid/v1/jwks' })) };
  };
  const refresh = async (): Promise<void> => {
    let wait = REFRESH_MS * (1 + random() / 5);
    try {
      const next = await fetchKeys();
      backoff.reset();
      const changed = JSON.stringify(next) !== JSON.stringify(current);
      current = next;
      if (changed && !stopped) onChange();
    } catch (error) {
      wait = backoff.next();
      log.warn({ reason: sentenceOf(error) }, 'The keys of the cluster could not be fetched; trying again.');
    }
    if (!stopped) disarm = clock.after(wait, () => void refresh());
  };
  void refresh();
  return {
    current: () => current,
    stop: () => {
      stopped = true;
      disarm();
    },
  };
}
