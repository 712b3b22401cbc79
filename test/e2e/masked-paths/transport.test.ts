/** What HTTP and event streams carry beside messages: nothing of it reaches a client, the log or the record. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { bearer, modernCall, openSession, rpc } from '../../fixtures/hand-client.ts';
import { toolText, type Heard } from '../../fixtures/scripted-server.ts';
import { recordOf } from '../records.ts';
import { FAMILIES, MASK, SECRET, startMasked, type Family, type Masked } from './masked.ts';

let masked: Masked;
beforeAll(async () => {
  masked = await startMasked();
});
afterEach(() => masked.world.server.reset());
afterAll(() => masked[Symbol.asyncDispose]());

const META = 'io.modelcontextprotocol';

/** All that comes back over the connection, its status line, headers and trailers included. */
async function everythingOf(family: Family, path = ''): Promise<string> {
  const call = { name: 'a', arguments: {} };
  const modern = { _meta: { [`${META}/protocolVersion`]: '2026-07-28', [`${META}/clientCapabilities`]: {} } };
  const asking = request(`${masked.world.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      te: 'trailers',
      ...bearer(masked.way.token),
      ...(family === 'legacy'
        ? masked.session.headers
        : { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'a' }),
    },
  });
  asking.end(rpc('tools/call', family === 'legacy' ? call : { ...call, ...modern }, 1));
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const body = await textOf(response);
  const { statusMessage, rawHeaders, rawTrailers } = response;
  return JSON.stringify([statusMessage, rawHeaders, rawTrailers, body]);
}

const answer = ({ message: { id } }: Heard): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result: toolText('done') });
const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };
/** An answer with this header. */
const header = (name: string, value = SECRET) => ({
  [`header ${name}`]: (heard: Heard) =>
    heard.response.writeHead(200, { ...json, [name]: value }).end(answer(heard)),
});
/** The answer as an event behind these lines. */
const lines = (title: string, text: string) => ({
  [title]: (heard: Heard) => heard.response.writeHead(200, events).end(`${text}\ndata: ${answer(heard)}\n\n`),
});
/** Something else than an answer. */
const instead = (status: number, type: string, headers = {}) => ({
  [`${status} ${type} ${Object.keys(headers).join()}`]: ({ response }: Heard) =>
    response.writeHead(status, { 'content-type': type, ...headers }).end(`it is ${SECRET}`),
});

const PLACES: Readonly<Record<string, (heard: Heard) => unknown>> = {
  ...header('x-vendor'),
  ...header('set-cookie', `key=${SECRET}`),
  ...header('server'),
  ...header('link', `<https://host.test/${SECRET}>; rel=next`),
  ...header('mcp-session-id'),
  ...header('www-authenticate', `Bearer error="${SECRET}"`),
  ...header('content-type', `application/json; v=${SECRET}`),
  'the reason of a status': (heard) => heard.response.writeHead(200, SECRET, json).end(answer(heard)),
  'a trailer': (heard) => {
    heard.response.writeHead(200, { ...json, trailer: 'x-vendor' });
    heard.response.write(answer(heard));
    heard.response.addTrailers({ 'x-vendor': SECRET });
    heard.response.end();
  },
  ...lines('id of an event', `id: ${SECRET}`),
  ...lines('name of an event', `event: ${SECRET}`),
  ...lines('a comment', `: ${SECRET}`),
  ...lines('a retry', `retry: ${SECRET}`),
  ...lines('a field of nobody', `${SECRET}: ${SECRET}`),
  ...lines('a priming event', `id: ${SECRET}\nretry: 1\ndata:\n`),
  ...instead(500, 'text/plain'),
  ...instead(400, 'text/html'),
  ...instead(200, 'text/plain'),
  ...instead(401, 'application/json', { 'www-authenticate': `Bearer realm="${SECRET}"` }),
  ...instead(302, 'text/plain', { location: `https://host.test/?${SECRET}` }),
  ...instead(503, 'application/json', { 'retry-after': SECRET }),
  'the id of another call': ({ send }) =>
    send(200, 'application/json', JSON.stringify({ jsonrpc: '2.0', id: SECRET, result: {} })),
  'what is no JSON': ({ send }) => send(200, 'application/json', `{"id": ${SECRET}`),
};

const rows = Object.keys(PLACES).flatMap((place) => FAMILIES.map((family) => [place, family] as const));
test.for(rows)('%s (%s)', async ([place, family]) => {
  masked.world.server.on('tools/call', (heard) => void PLACES[place]?.(heard));
  expect(await everythingOf(family)).not.toContain(SECRET);
  expect(masked.world.server.heard).not.toEqual([]);
});

test('nor what a client writes into the address that it calls', async () => {
  await everythingOf('modern', `?key=${SECRET}`);
  expect(masked.world.server.heard.map(({ url }) => url).join()).not.toContain(SECRET);
});

test('a server is not told who a client says it is, where that holds a value', async () => {
  const clientInfo = { name: SECRET, title: `t ${SECRET}`, version: SECRET };
  const capabilities = { experimental: { x: { y: SECRET } } };
  const opening = rpc('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo }, 'open');
  await fetch(masked.world.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...bearer(masked.way.token),
    },
    body: opening,
  });
  await modernCall(masked.way, 'tools/call', { name: 'a' }, { meta: { [`${META}/clientInfo`]: clientInfo } });
  const told = masked.world.server.heard.map(({ body }) => body);
  expect(told.join()).not.toContain(SECRET);
  expect(told).toHaveLength(2);
  for (const body of told) expect(body).toContain(MASK);
});

test('nothing of all that stands in the log or in the record', async () => {
  await openSession(masked.way);
  expect(masked.world.gatehouse.child.output()).not.toContain(SECRET);
  expect(JSON.stringify(await recordOf(masked.world.gatehouse))).not.toContain(SECRET);
});
