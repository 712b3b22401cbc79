import { expect, test } from 'vitest';
import { startDns } from '../../test/fixtures/dns-server.ts';
import { createResolve } from './resolve.ts';

const NAMES = {
  'api.example.test': ['192.0.2.7', '192.0.2.8', '2001:db8::7'],
  'db.data.svc.cluster.test': ['192.0.2.9'],
};

test('names lie where the resolver says, in both families, and are asked for again when they have aged', async () => {
  await using dns = await startDns(NAMES);
  let now = 0;
  const resolve = createResolve({ servers: [dns.address], clusterDomain: 'cluster.test', now: () => now });
  const found = (await resolve('api.example.test', 443)).map(({ address, port }) => `${address} ${port}`);
  expect(found.sort()).toEqual(['192.0.2.7 443', '192.0.2.8 443', '2001:db8::7 443']);
  const asked = dns.asked.length;
  await resolve('api.example.test', 80);
  expect(dns.asked).toHaveLength(asked);
  now = 60_000;
  await resolve('api.example.test', 443);
  expect(dns.asked.length).toBeGreaterThan(asked);
});

test('a Service is completed with the domain of the cluster', async () => {
  await using dns = await startDns(NAMES);
  const resolve = createResolve({ servers: [dns.address], clusterDomain: 'cluster.test', now: Date.now });
  expect(await resolve('db.data.svc', 5432)).toEqual([{ address: '192.0.2.9', port: 5432 }]);
});

test('what the machine itself calls a name is not believed', async () => {
  await using dns = await startDns(NAMES);
  const resolve = createResolve({ servers: [dns.address], clusterDomain: 'cluster.test', now: Date.now });
  await expect(resolve('localhost', 80)).rejects.toThrow('The name localhost has no address (ENOTFOUND).');
  expect(dns.asked).toContain('localhost');
});
