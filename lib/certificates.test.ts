import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { issueAuthority, issueServerLeaf, needsReissue } from './certificates.ts';
import { integer, oid, time, tlv } from './der.ts';

const now = Date.now();
const hosts = ['localhost', '127.0.0.1', '::1', 'fd00::1:0:9'];
const authority = issueAuthority('Gatehouse installation', { now, days: 3650 });
const leaf = issueServerLeaf(authority, hosts, { now, days: 90 });

test('an authority is one that signs leaves alone', () => {
  const ca = new X509Certificate(authority.cert);
  expect(ca.ca).toBe(true);
  expect(ca.subject).toBe('CN=Gatehouse installation');
  expect(ca.verify(ca.publicKey)).toBe(true);
});

test('a leaf names its hosts and is of its authority', () => {
  const cert = new X509Certificate(leaf.cert);
  const ca = new X509Certificate(authority.cert);
  expect(cert.ca).toBe(false);
  expect(cert.checkIssued(ca)).toBe(true);
  expect(cert.verify(ca.publicKey)).toBe(true);
  expect(cert.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(cert.checkHost('localhost')).toBe('localhost');
  for (const address of ['127.0.0.1', '::1', 'fd00::1:0:9']) expect(cert.checkIP(address)).toBeDefined();
  expect(cert.checkHost('example.test')).toBeUndefined();
});

test('a TLS client that trusts the authority alone accepts the leaf, and no leaf of another', async () => {
  const status = async (ca: string): Promise<number | undefined> => {
    const server = createServer({ cert: leaf.cert, key: leaf.key }, (_, res) => res.end('ok')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const request = get({ host: '127.0.0.1', port, ca, agent: false });
      const response = await new Promise<{ statusCode?: number | undefined }>((resolve, reject) => {
        request.on('response', (answer) => {
          answer.resume();
          resolve(answer);
        });
        request.on('error', reject);
      });
      return response.statusCode;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };
  await expect(status(authority.cert)).resolves.toBe(200);
  await expect(status(issueAuthority('Gatehouse installation', { now, days: 1 }).cert)).rejects.toThrow();
});

test('a leaf is reissued when its life is nearly over, for new hosts, and under a new authority', () => {
  const day = 86_400_000;
  expect(needsReissue(leaf, authority, hosts, now)).toBe(false);
  expect(needsReissue(leaf, authority, hosts, now + 61 * day)).toBe(true);
  expect(needsReissue(leaf, authority, [...hosts, '10.0.0.1'], now)).toBe(true);
  expect(needsReissue(leaf, issueAuthority('other', { now, days: 1 }), hosts, now)).toBe(true);
  expect(needsReissue({ ...leaf, key: authority.key }, authority, hosts, now)).toBe(true);
});

test('certificates outlive 2049 in the other form of time', () => {
  const cert = new X509Certificate(
    issueAuthority('long', { now: Date.parse('2060-02-03T04:05:06Z'), days: 1 }).cert,
  );
  expect(new Date(cert.validTo).toISOString()).toBe('2060-02-04T04:05:06.000Z');
});

test('DER is written as X.690 has it', () => {
  expect(oid('1.2.840.113549').toString('hex')).toBe('06062a864886f70d');
  expect(integer(Uint8Array.of(0, 0, 0x80)).toString('hex')).toBe('02020080');
  expect(integer(Uint8Array.of(0, 0)).toString('hex')).toBe('020100');
  expect(time(0).toString('latin1', 2)).toBe('700101000000Z');
  fc.assert(
    fc.property(fc.nat(70_000), (size) => {
      const encoded = tlv(0x04, new Uint8Array(size));
      const long = encoded[1] ?? 0;
      const stated = long < 0x80 ? long : encoded.readUIntBE(2, long & 0x7f);
      return stated === size && encoded.length === size + 2 + (long < 0x80 ? 0 : long & 0x7f);
    }),
    { numRuns: 50 },
  );
});
