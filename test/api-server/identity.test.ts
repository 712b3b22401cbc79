/** What the operator shows as a server, over years and over renewals, on a real API server. */
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { issueAuthority, issueServerLeaf, type KeyPair } from '../../lib/certificates.ts';
import { silentLogger } from '../../lib/log.ts';
import { createServerIdentity, type ServerIdentity } from '../../operator/cluster/identity.ts';
import { startTlsServer } from '../../operator/publish/tls-server.ts';
import type { KubeClient } from '../../operator/source/kubernetes/client.ts';
import { manualClock } from '../fixtures/manual-clock.ts';
import { hasApiServer, startApiServer, type ApiServer } from './api-server.ts';

const DAY_MS = 86_400_000;
const HOST = 'gatehouse-operator.gatehouse-system.svc';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const SECRETS = '/api/v1/namespaces/gatehouse-system/secrets';

const secret = z.object({ type: z.string(), data: z.record(z.string(), z.base64()) });
const configuration = z.object({
  webhooks: z.tuple([z.object({ clientConfig: z.object({ caBundle: z.base64() }) })]),
});

let api: ApiServer;
let admin: KubeClient;
let directory: string;

describe.skipIf(!hasApiServer())('the certificates of the operator', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gatehouse-identity-'));
    api = await startApiServer();
    admin = api.as('admin');
    const path = '/api/v1/namespaces';
    await admin.request({ method: 'POST', path, body: { metadata: { name: 'gatehouse-system' } } });
    for (const kind of ['mutating', 'validating']) await createConfiguration(kind);
  }, 120_000);

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test('of its own are trusted at every moment by every replica, the API server and what the recorder shows', async () => {
    let now = Date.UTC(2026, 0, 1);
    const replicas = [1, 2].map(() =>
      createServerIdentity(
        { namespace: 'gatehouse-system', tls: undefined },
        { client: admin, now: () => now },
      ),
    );
    const [a, b] = replicas;
    if (a === undefined || b === undefined) throw new Error('There are two replicas.');
    let before = await a();
    const first = before;
    const seen = new Set([before.roots]);
    for (let day = 0; day < 8 * 365; day += day > 6.6 * 365 && day < 6.8 * 365 ? 1 : 20) {
      now = Date.UTC(2026, 0, 1) + day * DAY_MS;
      // One replica is ahead; what the other one still shows is trusted, and so is what the first shows already.
      const ahead = await b();
      expect(vouches(before, ahead) && vouches(ahead, before), `day ${day}`).toBe(true);
      if (ahead.roots !== before.roots || ahead.cert !== before.cert) {
        const recorder = await read(`${SECRETS}/gatehouse-recorder-tls`, secret);
        expect(recorder.type).toBe('kubernetes.io/tls');
        expect(textOf(recorder.data['ca.crt'])).toBe(ahead.roots);
        expect(isVouchedFor(textOf(recorder.data['tls.crt']), before.roots), `day ${day}`).toBe(true);
        for (const kind of ['mutating', 'validating']) {
          const path = `${ADMISSION}/${kind}webhookconfigurations/gatehouse`;
          const { webhooks } = await read(path, configuration);
          expect(textOf(webhooks[0].clientConfig.caBundle)).toBe(ahead.roots);
        }
      }
      before = await a();
      expect(before).toEqual(ahead);
      seen.add(before.roots);
    }
    expect(before.probeKey).toBe(first.probeKey);
    // The first alone, both, the second alone.
    expect(seen.size).toBe(3);
    expect(vouches(first, before)).toBe(false);
  });

  test('that are damaged are not made anew, and the sentence says what to do', async () => {
    const path = `${SECRETS}/gatehouse-certificates`;
    const body = { data: { 'certificates.json': Buffer.from('{').toString('base64') } };
    await admin.request({ method: 'PATCH', patch: 'merge', path, body });
    const identify = createServerIdentity(
      { namespace: 'gatehouse-system', tls: undefined },
      { client: admin, now: Date.now },
    );
    await expect(identify()).rejects.toThrow(
      /gatehouse-certificates cannot be read; restore it, or remove it/,
    );
    await admin.request({ method: 'DELETE', path });
    expect((await identify()).cert).toContain('BEGIN CERTIFICATE');
  });

  test("of somebody else's are followed over a new leaf and a new root while clients come and go", async () => {
    const clock = manualClock(Date.now());
    const [old, next] = [authority('old'), authority('new')];
    const mount = join(directory, 'tls');
    await mkdir(mount);
    await putSecret(mount, old);
    const [certFile, keyFile, caFile] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => join(mount, name));
    const tls = { certFile: certFile ?? '', keyFile: keyFile ?? '', caFile: caFile ?? '' };
    const identify = createServerIdentity(
      { namespace: 'gatehouse-system', tls },
      { client: admin, now: () => clock.now() },
    );
    let shown = await identify();
    await using server = await startServer(async () => (shown = await identify()), clock);
    /** Roots as a client knows them that was told at that moment. */
    const told = (): string => shown.roots;
    const renewed = async (): Promise<void> => {
      const serial = new X509Certificate(shown.cert).serialNumber;
      clock.advance(60_000);
      await expect.poll(() => new X509Certificate(shown.cert).serialNumber).not.toBe(serial);
      await expect
        .poll(() => serialShown(server.port, told()))
        .toBe(new X509Certificate(shown.cert).serialNumber);
    };

    const first = told();
    expect(await serialShown(server.port, first)).toBe(new X509Certificate(shown.cert).serialNumber);
    await putSecret(mount, old);
    await renewed();
    await serialShown(server.port, first);
    await putSecret(mount, next);
    await renewed();
    // Another replica, or the recorder, may show what the old root vouches for until it has read its files.
    expect(isVouchedFor(leafOf(old).cert, told())).toBe(true);
    expect(isVouchedFor(leafOf(next).cert, told())).toBe(true);
    await expect(serialShown(server.port, first)).rejects.toThrow(/certificate|self-signed|verify/);
    // A renewal that is half there changes nothing.
    await rm(join(mount, '..data'));
    clock.advance(60_000);
    await expect(identify()).rejects.toThrow(/ENOENT/);
    await serialShown(server.port, told());
    // Who keeps the operator's certificate keeps the recorder's.
    const recorders = await read(`${SECRETS}/gatehouse-recorder-tls`, secret);
    expect(textOf(recorders.data['ca.crt'])).not.toContain(old.cert);
  });
});

const authority = (name: string): KeyPair => issueAuthority(name, { now: Date.now(), days: 1 });
const leafOf = (root: KeyPair): KeyPair => issueServerLeaf(root, [HOST], { now: Date.now(), days: 1 });

/** As the kubelet mounts a Secret of cert-manager: a directory of links that changes in one step. */
async function putSecret(mount: string, root: KeyPair): Promise<void> {
  const version = await mkdtemp(join(mount, '..version-'));
  const leaf = leafOf(root);
  const files = { 'tls.crt': leaf.cert, 'tls.key': leaf.key, 'ca.crt': root.cert };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(version, name), text);
    await symlink(join('..data', name), join(mount, name)).catch(() => undefined);
  }
  await symlink(version, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
}

async function startServer(
  certificate: () => Promise<ServerIdentity>,
  clock: ReturnType<typeof manualClock>,
): Promise<AsyncDisposable & { port: number }> {
  const server = await startTlsServer(
    express(),
    { listen: { host: '127.0.0.1', port: 0 }, certificate, checkEveryMs: 60_000 },
    { clock, log: silentLogger() },
  );
  return { port: Number(new URL(server.url).port), [Symbol.asyncDispose]: () => server.close() };
}

/** Of the certificate that a client gets to see who trusts `roots`; rejects where it does not believe it. */
function serialShown(port: number, roots: string): Promise<string> {
  const minVersion: SecureVersion = 'TLSv1.3';
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: HOST, ca: roots, minVersion }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function createConfiguration(kind: string): Promise<void> {
  const url = 'https://127.0.0.1:9/';
  const rules = [{ apiGroups: ['x.test'], apiVersions: ['v1'], resources: ['xs'], operations: ['CREATE'] }];
  const webhook = { name: 'x.gatehouse.dev', clientConfig: { url }, rules, sideEffects: 'None' };
  await admin.request({
    method: 'POST',
    path: `${ADMISSION}/${kind}webhookconfigurations`,
    body: { metadata: { name: 'gatehouse' }, webhooks: [{ ...webhook, admissionReviewVersions: ['v1'] }] },
  });
}

async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(await admin.request({ method: 'GET', path }));
}

function textOf(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8');
}

/** Whether who was told the roots of one believes the certificate of the other. */
function vouches(told: ServerIdentity, shown: ServerIdentity): boolean {
  return isVouchedFor(shown.cert, told.roots);
}

function isVouchedFor(leaf: string, roots: string): boolean {
  const certificates = roots.split(/(?<=-----END CERTIFICATE-----\n)/).filter((pem) => pem.trim() !== '');
  const certificate = new X509Certificate(leaf);
  return certificates.some((root) => certificate.verify(new X509Certificate(root).publicKey));
}
