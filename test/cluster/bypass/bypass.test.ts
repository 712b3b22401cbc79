/**
 * Ways around the sidecar on real pods, each tried where a sidecar stands alone, and where Gatehouse guards it. What
 * does not work there proves nothing here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installGatehouse, NAMESPACE, provideImage, takeTurn, uninstallGatehouse } from '../installation.ts';
import { describeWithCluster } from '../suite.ts';
import type { Attempt, Side } from './attempt.ts';
import { containerWays } from './containers.ts';
import { guardedSide } from './guarded.ts';
import { makeClient, naiveSide } from './naive.ts';
import { networkWays } from './network.ts';
import { policyWays } from './policies.ts';

describeWithCluster('ways around the sidecar', (cluster) => {
  const namespaces: string[] = [];
  let endTurn = (): void => undefined;
  const sides: Partial<Record<'open' | 'ruled' | 'guarded', Side>> = {};

  const namespaceOf = async (prefix: string): Promise<string> => {
    const namespace = await cluster().createNamespace(prefix);
    namespaces.push(namespace);
    return namespace;
  };

  beforeAll(async () => {
    endTurn = await takeTurn(cluster());
    await provideImage(cluster());
    await installGatehouse(cluster(), ['recorder.storage.kind=EmptyDir']);
    const client = await makeClient(cluster(), await namespaceOf('bypass-client'));
    const naive = { cluster: cluster(), namespace: await namespaceOf('bypass-naive'), client };
    sides.open = await naiveSide(naive, false);
    sides.ruled = await naiveSide(naive, true);
    const guarded = { ...naive, namespace: await namespaceOf('bypass-guarded') };
    sides.guarded = await guardedSide(guarded);
  }, 1_600_000);

  afterAll(async () => {
    for (const namespace of namespaces) await cluster().removeNamespace(namespace);
    await uninstallGatehouse(cluster());
    endTurn();
  }, 300_000);

  const side = (name: keyof typeof sides): Side => {
    const made = sides[name];
    if (made === undefined) throw new Error(`The ${name} side was not made.`);
    return made;
  };

  /** `without`: the side on which the way is open. */
  const tried = (title: string, ways: readonly Attempt[], without: 'open' | 'ruled'): void => {
    describe(title, () => {
      it.each(ways)('$name', async (way) => {
        expect(await way.tried(side(without))).toMatch(way.naive);
        expect(await way.tried(side('guarded'))).toMatch(way.guarded);
      });
    });
  };

  tried('over the network', networkWays, 'open');
  tried('by what a container may be', containerWays, 'ruled');
  tried('by what one asks of the API server', policyWays, 'open');

  it('and what the operator publishes is for sidecars', async () => {
    const { client } = side('guarded');
    const url = `https://gatehouse-operator.${NAMESPACE}.svc:8443/v1/bundles`;
    const ask = `
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      const { readFileSync } = await import('node:fs');
      const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
      for (const authorization of [undefined, 'Bearer ' + token]) {
        const headers = authorization === undefined ? {} : { authorization };
        console.log((await fetch(${JSON.stringify(url)}, { headers })).status);
      }`;
    expect(await cluster().script(client.pod, ask, { namespace: client.namespace })).toBe('401\n401\n');
  });

  it('are many', () => {
    expect(networkWays.length + containerWays.length + policyWays.length).toBeGreaterThanOrEqual(40);
  });
});
