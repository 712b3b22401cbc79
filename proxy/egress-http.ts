/** A gateway's outward HTTP side, put together from its bundle and from what outlives a change of it. */
import { gatewayName, type Bundle } from '#bundle';
import type { HttpEgress } from './egress/http/index.ts';
import type { Gateway } from './gateway.ts';
import type { GatewayState } from './gateway-state.ts';

export interface EgressOf {
  readonly bundle: Bundle;
  readonly state: Pick<GatewayState, 'leases' | 'whoseCall'>;
  readonly gateway: Pick<Gateway, 'journal'>;
  readonly now: () => number;
}

/** Puts it in force, or takes it away where the bundle has none. Throws ListenError. */
export async function putEgress(
  egress: HttpEgress,
  { bundle, state, gateway, now }: EgressOf,
): Promise<void> {
  const name = gatewayName(bundle.gateway);
  if (bundle.egress === undefined) {
    egress.remove(name);
    return;
  }
  await egress.put(
    {
      name,
      ...bundle.egress,
      credentials: bundle.credentials.flatMap(({ name: credential, whenShared, inject }) =>
        'egress' in inject ? [{ name: credential, whenShared, ...inject.egress }] : [],
      ),
      ownProcesses: bundle.server.transport === 'Stdio',
    },
    bundle.upstreamRoots,
    {
      lend: (credential, whose) => state.leases.lend(credential, whose),
      replace: (credential, whose, refused) => state.leases.replace(credential, whose, refused),
      whoseCall: state.whoseCall,
      record: (event) => gateway.journal.outbound({ protocol: 'http', ...event }),
      now,
    },
  );
}
