import { expect, test } from 'vitest';
import { startDns } from '../../test/fixtures/dns-server.ts';
import { lookupBy } from './lookup.ts';

const NAMES = {
  'gatehouse-operator.gatehouse-system.svc.cluster.test': ['192.0.2.7', '2001:db8::7'],
  'four.example': ['192.0.2.8'],
};

const names = (resolvers: readonly string[]) => ({ resolvers, clusterDomain: 'cluster.test' });

const all = (lookup: ReturnType<typeof lookupBy>, host: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    lookup?.(host, { all: true }, (error, found) => (error === null ? resolve(found) : reject(error)));
  });

test('names lie where the resolvers say, in both families; a Service is completed with the domain of the cluster', async () => {
  await using dns = await startDns(NAMES);
  const lookup = lookupBy(names([dns.address]));
  expect(await all(lookup, 'gatehouse-operator.gatehouse-system.svc')).toEqual([
    { address: '192.0.2.7', family: 4 },
    { address: '2001:db8::7', family: 6 },
  ]);
  expect(await all(lookup, 'four.example')).toEqual([{ address: '192.0.2.8', family: 4 }]);
  const one = new Promise((resolve) => {
    lookup?.('four.example', {}, (_, address, family) => resolve([address, family]));
  });
  expect(await one).toEqual(['192.0.2.8', 4]);
});

test('what the machine itself calls a name is not believed', async () => {
  await using dns = await startDns(NAMES);
  await expect(all(lookupBy(names([dns.address])), 'localhost')).rejects.toThrow('ENOTFOUND');
  expect(dns.asked).toContain('localhost');
});

test("without resolvers, names are the machine's to know", () => {
  expect(lookupBy(names([]))).toBeUndefined();
});
