import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer } from '../../fixtures/hand-client.ts';
import { portOf } from '../../fixtures/mcp/listen.ts';
import { recordOf } from '../records.ts';
import { startWorld, type World } from '../world.ts';

let server: Server;
let world: World;
let token: string;
const seen: IncomingMessage[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request);
    const body = request.url?.startsWith('/hang') ? undefined : 'card 4111 1111 1111 1111\n';
    if (body === undefined) request.socket.destroy();
    else response.writeHead(200, { 'content-type': 'text/plain', 'x-note': 'ssn 1' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  world = await startWorld({
    spec: {
      server: {
        url: `http://127.0.0.1:${portOf(server)}/mcp`,
        passthrough: [{ path: '/report' }, { path: '/hang', methods: ['GET', 'POST'] }],
      },
    },
    policies: [
      {
        kind: 'MaskingPolicy',
        metadata: { name: 'cards' },
        spec: { targetRefs: [{ kind: 'McpGateway', name: 'main' }], detectors: [{ preset: 'PaymentCards' }] },
      },
    ],
  });
  token = (await world.as('ana')).token;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

const get = (
  path: string,
  headers: Record<string, string> = bearer(token),
  method = 'GET',
): Promise<Response> => fetch(new URL(path, world.url), { method, headers });

test('a path that a gateway lets through is identified, masked and recorded', async () => {
  expect((await get('/report', {})).status).toBe(401);
  expect(seen).toEqual([]);
  const response = await get('/report?day=1', { ...bearer(token), cookie: 'a=b' });
  expect([response.status, await response.text()]).toEqual([200, 'card [REDACTED:payment-card]\n']);
  expect(seen[0]?.url).toBe('/report?day=1');
  expect(JSON.stringify(seen[0]?.headers)).not.toContain(token);
  expect(seen[0]?.headers.cookie).toBeUndefined();
  await expect
    .poll(async () => (await recordOf(world.gatehouse)).map(({ event }) => event['method']))
    .toContain('http');
});

test('another method, and another path, are not there', async () => {
  const before = seen.length;
  expect((await get('/report', bearer(token), 'DELETE')).status).toBe(405);
  for (const path of ['/report/', '/report/x', '/other', '/%72eport'])
    expect((await get(path)).status, path).toBe(404);
  expect(seen).toHaveLength(before);
});

test('a server that hangs up: 502, and the next one works', async () => {
  expect((await get('/hang')).status).toBe(502);
  expect((await get('/report')).status).toBe(200);
});
