import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDns } from '../../../../test/fixtures/dns-server.ts';
import type { Destination } from '../../destination.ts';
import { createResolve, resolveAsMachine } from '../../resolve.ts';
import { connectUpstream, type Dial } from './connect.ts';
import { createDatabaseDial } from './dial.ts';

const [own] = Object.values(networkInterfaces())
  .flat()
  .filter((one) => one?.family === 'IPv4' && !one.internal)
  .map((one) => one?.address);
const NAMES = {
  'metadata.example.test': ['169.254.169.254'],
  'here.example.test': ['127.0.0.1'],
  'here6.example.test': ['::1'],
  'mapped.example.test': ['::ffff:127.0.0.1'],
  ...(own === undefined ? {} : { 'own.example.test': [own] }),
  'operator.example.test': ['127.0.0.1'],
};
const server = createServer((socket) => socket.destroy());
let port = 0;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => void server.close());

async function withDns(
  run: (dial: Dial) => Promise<void>,
  reserved: readonly Destination[] = [],
): Promise<void> {
  await using dns = await startDns(NAMES);
  const resolve = createResolve({ servers: [dns.address], clusterDomain: 'cluster.test', now: Date.now });
  await run(createDatabaseDial({ resolve, reserved }));
}

describe('a connection to a database', () => {
  test.each(Object.keys(NAMES))('is not made where %s leads', async (name) => {
    await withDns(async (dial) => {
      await expect(dial(name, port)).rejects.toMatchObject({ code: 'address_refused' });
    });
  });

  test('is made to an address that the gateway itself writes', async () => {
    await withDns(async (dial) => {
      const socket = await dial('127.0.0.1', port);
      socket.destroy();
    });
  });

  test('is made to localhost where the machine finds names', async () => {
    const socket = await createDatabaseDial({ resolve: resolveAsMachine, reserved: [] })('localhost', port);
    expect(socket.remoteAddress).toMatch(/^(?:::ffff:)?127\.0\.0\.1$/);
    socket.destroy();
  });

  test('is never made to the operator or the recorder, whatever the gateway writes', async () => {
    await withDns(
      async (dial) => {
        await expect(dial('127.0.0.1', port)).rejects.toMatchObject({ code: 'address_refused' });
      },
      [{ host: 'operator.example.test', port }],
    );
  });

  test('that is refused says why to the client', async () => {
    await withDns(async (dial) => {
      const upstream = { host: 'metadata.example.test', port: 5432, database: 'd', roots: undefined };
      await expect(connectUpstream(upstream, dial, AbortSignal.timeout(5000))).rejects.toThrow(
        'The database at metadata.example.test:5432 cannot be reached: metadata.example.test:5432 leads to 169.254.169.254, which is of this machine, of the installation or a metadata service; a gateway can allow such an address only by naming it, in spec.egress.allow or as the upstream of a database.',
      );
    });
  });

  test('to a name without an address says so', async () => {
    await withDns(async (dial) => {
      await expect(dial('nowhere.example.test', port)).rejects.toMatchObject({
        code: 'upstream_unavailable',
      });
    });
  });
});
