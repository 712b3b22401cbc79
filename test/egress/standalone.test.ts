import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startDns, type DnsServer } from '../fixtures/dns-server.ts';
import { EgressWorld } from '../fixtures/egress-world.ts';
import { answerOf, openSession, type HandSession } from '../fixtures/hand-client.ts';
import { recordOf } from '../e2e/records.ts';
import { startWorld, type World } from '../e2e/world.ts';

const API = 'api.example.test';
const OTHER = 'other.example.test';
const SECRET = randomBytes(18).toString('base64url');
const content = z.looseObject({ content: z.array(z.looseObject({ text: z.string() })) });

let outside: EgressWorld;
let dns: DnsServer;
let world: World;
let ana: HandSession;
let port: number;
let seen: string[];

beforeAll(async () => {
  seen = [];
  outside = await EgressWorld.create();
  port = await outside.upstream([API, OTHER], {
    onRequest: (request, response) => {
      seen.push(request.headers.authorization ?? 'none');
      response.end(JSON.stringify(request.headers));
    },
  });
  dns = await startDns({ [API]: ['127.0.0.1'], [OTHER]: ['127.0.0.1'] });
  const roots = join(outside.directory, 'outside.pem');
  await writeFile(roots, outside.outsideCa);
  world = await startWorld({
    child: { args: ['--egress', '127.0.0.1:0', '--egress-ca', roots, '--resolver', dns.address] },
    files: { 'api.json': JSON.stringify({ token: SECRET }) },
    spec: {
      server: {
        transport: 'Stdio',
        command: [process.execPath, resolve(import.meta.dirname, '../fixtures/outbound-server.ts')],
      },
      credentials: [
        {
          name: 'api',
          source: { devFile: { path: 'api.json' } },
          inject: {
            egress: {
              hosts: [`${API}:${port}`],
              header: { name: 'Authorization', value: 'Bearer {{ token }}' },
              placeholder: 'key_',
              env: 'API_TOKEN',
            },
          },
        },
      ],
      egress: { allow: [`127.0.0.1:${port}`] },
    },
  });
  ana = await openSession(await world.as('ana'));
}, 120_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
  await outside[Symbol.asyncDispose]();
});

async function outbound(): Promise<Readonly<Record<string, unknown>>[]> {
  const entries = await recordOf(world.gatehouse);
  return entries.filter(({ type }) => type === 'outbound').map(({ event }) => event);
}

async function call(session: HandSession, url: string, token?: string): Promise<string> {
  const response = await session.request('tools/call', {
    name: 'call',
    arguments: { url, ...(token === undefined ? {} : { token }) },
  });
  return content.parse((await answerOf(response)).result).content[0]?.text ?? '';
}

test('a server holds a placeholder of its session, and its upstream gets the secret', async () => {
  const text = await call(ana, `https://${API}:${port}/user?page=1`);
  const [held = ''] = text.split(' ');
  expect(held).toMatch(/^key_[0-9a-f]{32}$/);
  expect(seen.at(-1)).toBe(`Bearer ${SECRET}`);
  expect(text).toContain('200');
  expect(text).not.toContain(SECRET);
  const bob = await openSession(await world.as('bob'));
  const other = await call(bob, `https://${API}:${port}/user`);
  expect(other.split(' ')[0]).toMatch(/^key_/);
  expect(other.split(' ')[0]).not.toBe(held);
});

test('the record says where the server called, for whom, and not with what', async () => {
  await expect.poll(async () => (await outbound()).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
  const events = await outbound();
  expect(events[0]).toMatchObject({
    destination: `${API}:${port}`,
    what: 'GET /user?…',
    decision: 'allow',
    credential: 'api',
    status: 200,
  });
  expect(events[0]?.['session']).toEqual(expect.any(String));
  expect(events[0]?.['exchange']).toEqual(expect.any(String));
  expect(JSON.stringify(events)).not.toContain(SECRET);
});

test('a host that nobody allowed is not reached', async () => {
  const text = await call(ana, `https://${OTHER}:${port}/`);
  expect(text).toContain('failed');
  await expect.poll(async () => (await outbound()).at(-1)?.['decision'], { timeout: 10_000 }).toBe('deny');
});

test("one session's placeholder in another's call gets nothing of the first", async () => {
  const bob = await openSession(await world.as('bob'));
  const held = (await call(ana, `https://${API}:${port}/`)).split(' ')[0];
  // The process proves whose it is; a copied placeholder changes nothing about that.
  await call(bob, `https://${API}:${port}/copied`, held);
  const to = async (what: string): Promise<Readonly<Record<string, unknown>> | undefined> =>
    (await outbound()).find((event) => event['what'] === what);
  await expect.poll(() => to('GET /copied'), { timeout: 10_000 }).toBeDefined();
  const [copied, own] = [await to('GET /copied'), await to('GET /')];
  expect(copied).toMatchObject({ decision: 'allow', credential: 'api' });
  expect(copied?.['session']).not.toBe(own?.['session']);
});

test('nothing that was written down on this machine holds the secret but its own source', async () => {
  const { output } = world.gatehouse.child;
  expect(output()).not.toContain(SECRET);
  const authority = join(world.gatehouse.directory, '.gatehouse/proxy/egress-authority/ca.key');
  expect(await readFile(authority, 'utf8')).toContain('PRIVATE KEY');
  const trust = join(world.gatehouse.directory, '.gatehouse/proxy/egress');
  expect(await readFile(join(trust, 'ca.pem'), 'utf8')).toContain('CERTIFICATE');
});
