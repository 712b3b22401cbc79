import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createGrpcServer } from 'node:http2';
import { createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ProbeHandler, ProbeTargets } from '../../crds/probes.ts';
import { listen } from '../../lib/listen.ts';
import { healthCheckRequest, isServing } from './grpc-health.ts';
import { createProbesServer } from './server.ts';

const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()));
});

async function start(server: Server): Promise<number> {
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  running.push(() => new Promise((resolve) => server.close(resolve)));
  return port;
}

async function probe(targets: ProbeTargets, path = '/probes/a', method = 'GET'): Promise<number> {
  const port = await start(createProbesServer(targets));
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' });
  expect(await response.text()).not.toContain('secret');
  return response.status;
}

const target = (handler: ProbeHandler, timeoutSeconds = 2): ProbeTargets => ({
  '/probes/a': { handler, timeoutSeconds },
});
const httpGet = (port: number, more: object = {}): ProbeHandler => ({
  httpGet: { path: '/ready?full=1', port, scheme: 'HTTP', ...more },
});

test.each([
  [200, 200],
  [302, 200],
  [399, 200],
  [400, 503],
  [500, 503],
])('an HTTP %i of the container is a %i for the kubelet, without the body', async (said, told) => {
  const port = await start(
    createServer((_, response) => response.writeHead(said, { location: '/x' }).end('secret')),
  );
  expect(await probe(target(httpGet(port)))).toBe(told);
});

test('the path, the query and the headers are the ones of the probe', async () => {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    asked.push([request.method, request.url, request.headers['x-probe'], request.headers.host]);
    response.end();
  });
  const port = await start(server);
  const httpHeaders = [
    { name: 'X-Probe', value: '1' },
    { name: 'Host', value: 'orders.example' },
  ];
  expect(await probe(target(httpGet(port, { httpHeaders })))).toBe(200);
  expect(asked).toEqual([['GET', '/ready?full=1', '1', 'orders.example']]);
});

test('a container that does not listen, or says nothing in time, is not well', async () => {
  const closed = await start(createServer());
  await running.pop()?.();
  expect(await probe(target(httpGet(closed)))).toBe(503);
  const silent = await start(createServer(() => undefined));
  expect(await probe(target(httpGet(silent), 1))).toBe(503);
});

test('a socket that opens is well, and one that does not is not', async () => {
  const port = await start(createTcpServer((socket) => socket.end()));
  expect(await probe(target({ tcpSocket: { port } }))).toBe(200);
  await running.shift()?.();
  expect(await probe(target({ tcpSocket: { port } }))).toBe(503);
});

test.each([
  ['SERVING', [0, 0, 0, 0, 2, 8, 1], 200],
  ['NOT_SERVING', [0, 0, 0, 0, 2, 8, 2], 503],
  ['UNKNOWN', [0, 0, 0, 0, 0], 503],
  ['nothing', [], 503],
])('a gRPC health check that says %s', async (_, answer, told) => {
  const asked: unknown[] = [];
  const server = createGrpcServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push([request.url, request.headers['content-type'], Buffer.concat(chunks)]);
      response.writeHead(200, { 'content-type': 'application/grpc' });
      response.end(Buffer.from(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  running.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  expect(await probe(target({ grpc: { port: address.port, service: 'orders' } }))).toBe(told);
  expect(asked).toEqual([
    ['/grpc.health.v1.Health/Check', 'application/grpc', Buffer.from('\0\0\0\0\x08\x0a\x06orders', 'latin1')],
  ]);
});

test('nothing else is answered', async () => {
  const port = await start(createServer((_, response) => response.end('secret')));
  const targets = target(httpGet(port));
  expect(await probe(targets, '/probes/b')).toBe(404);
  expect(await probe(targets, '/probes/a?x')).toBe(404);
  expect(await probe(targets, '/__proto__')).toBe(404);
  expect(await probe(targets, '/probes/a', 'POST')).toBe(404);
});

test('a service of more than 127 bytes has a length of two bytes, and no service has none', () => {
  expect([...healthCheckRequest('x'.repeat(300)).subarray(0, 8)]).toEqual([0, 0, 0, 1, 47, 10, 0xac, 2]);
  expect([...healthCheckRequest('')]).toEqual([0, 0, 0, 0, 0]);
  expect(isServing(Buffer.from([1, 0, 0, 0, 2, 8, 1]))).toBe(false);
});
