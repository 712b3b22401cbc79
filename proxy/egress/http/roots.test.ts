/** Roots of the installation that change while calls go on: what vouches for upstreams, and what the app is given. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TRUST_FILES } from '../../../crds/egress-environment.ts';
import { issueAuthority } from '../../../lib/certificates.ts';
import { silentLogger } from '../../../lib/log.ts';
import { Secret } from '../../../lib/secret.ts';
import { freePort } from '../../../test/fixtures/child.ts';
import { ask, openTls } from '../../../test/fixtures/egress-client.ts';
import { EgressWorld } from '../../../test/fixtures/egress-world.ts';
import { HttpEgress } from './index.ts';
import { openAuthority } from './trust/authority.ts';

const API = 'api.example.test';
const OTHER = issueAuthority('nobody here', { now: Date.now(), days: 1 }).cert;

let world: EgressWorld;
let egress: HttpEgress;
let port: number;
let authorityDirectory: string;
let trustDirectory: string;

beforeEach(async () => {
  world = await EgressWorld.create();
  authorityDirectory = join(world.directory, 'authority');
  trustDirectory = join(world.directory, 'given');
  port = await freePort();
  egress = new HttpEgress({
    listen: { host: '127.0.0.1', port },
    resolve: world.resolve,
    reserved: [],
    ...{ authorityDirectory, trustDirectory },
    now: Date.now,
    log: silentLogger(),
  });
});
afterEach(async () => {
  await egress.close();
  await world[Symbol.asyncDispose]();
});

async function put(at: number, roots: string | undefined): Promise<void> {
  const spec = {
    name: 'tools/orders',
    default: 'Deny' as const,
    allow: [{ host: '127.0.0.1', port: at }],
    credentials: [
      {
        name: 'api',
        whenShared: 'Pod' as const,
        hosts: [{ host: API, port: 443 }],
        header: { name: 'Authorization', value: 'Bearer {{ token }}' },
      },
    ],
    ownProcesses: false,
  };
  await egress.put(spec, roots, {
    lend: () => Promise.resolve({ expiresAt: undefined, fields: new Map([['token', new Secret('t0ken')]]) }),
    replace: () => Promise.reject(new Error('There is no other.')),
    whoseCall: { ownerOf: () => ({ whose: 'pod', call: undefined }), onChange: () => () => undefined },
    record: () => undefined,
    now: Date.now,
  });
}

test('an upstream is vouched for by the roots of the newest bundle, and the app is given them', async () => {
  const seen: string[] = [];
  const at = await world.upstream([API], {
    onRequest: (request, response) => {
      seen.push(request.headers.authorization ?? 'none');
      response.end('here');
    },
  });
  const given = (): Promise<string> => readFile(join(trustDirectory, TRUST_FILES.caAndRoots), 'utf8');
  const call = async (): Promise<number> => {
    const authority = await openAuthority(authorityDirectory, Date.now());
    const socket = await openTls({ port, authority }, API);
    return (await ask(socket, API)).status;
  };
  // Two in one text: what Java gets is read certificate by certificate.
  const roots = `# ours\n${OTHER}\n${world.outsideCa}`;

  await put(at, undefined);
  expect(await call()).toBe(502);
  expect(seen).toEqual([]);
  expect(await given()).not.toContain(world.outsideCa.trim());

  await put(at, roots);
  expect(await call()).toBe(200);
  expect(seen).toEqual(['Bearer t0ken']);
  for (const root of [OTHER, world.outsideCa]) expect(await given()).toContain(root.trim());

  await put(at, OTHER);
  expect(await call()).toBe(502);
  expect(seen).toHaveLength(1);
  expect(await given()).not.toContain(world.outsideCa.trim());
});
