/** HTTP+SSE of 2024-11-05 by hand; the official clients are tried elsewhere. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bearer,
  eventsOf,
  messageOf,
  post,
  rpc,
  type HandEvents,
  type Way,
} from '../../fixtures/hand-client.ts';
import { portOf } from '../../fixtures/mcp/listen.ts';
import { startWorld, type World } from '../world.ts';

interface OldServer extends AsyncDisposable {
  readonly url: string;
  /** What it calls its message endpoint. */
  endpoint: string;
  /** The streams that are open, by session. */
  readonly streams: Map<string, ServerResponse>;
  readonly posted: { session: string; body: string }[];
}

async function startOldServer(): Promise<OldServer> {
  const streams = new Map<string, ServerResponse>();
  const posted: OldServer['posted'] = [];
  let sessions = 0;
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      sessions += 1;
      const session = `s${sessions}`;
      streams.set(session, response);
      response.once('close', () => streams.delete(session));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: endpoint\ndata: ${old.endpoint}?session=${session}\n\n`);
      return;
    }
    const session = new URL(request.url ?? '/', 'http://x').searchParams.get('session') ?? '';
    void textOf(request).then((body) => {
      posted.push({ session, body });
      response.writeHead(202).end('Accepted');
      const id = /"id":(\d+)/.exec(body)?.[1];
      if (id !== undefined)
        streams
          .get(session)
          ?.write(`event: message\ndata: {"jsonrpc":"2.0","id":${id},"result":{"for":"${session}"}}\n\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const old: OldServer = {
    url: `http://127.0.0.1:${portOf(server)}/sse`,
    endpoint: '/messages',
    streams,
    posted,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return old;
}

let server: OldServer;
let world: World;
let ana: Way;
beforeAll(async () => {
  server = await startOldServer();
  world = await startWorld({ spec: { server: { url: server.url, transport: 'SSE', path: '/mcp' } } });
  ana = await world.as('ana');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function open(way: Way): Promise<{ events: HandEvents; endpoint: Way; first: string | undefined }> {
  const response = await fetch(way.url, { headers: { accept: 'text/event-stream', ...bearer(way.token) } });
  const events = eventsOf(response);
  const first = await events.next();
  const url = new URL(first?.data ?? '', way.url).href;
  return { events, endpoint: { ...way, url }, first: first?.event };
}

test('the first event names an endpoint of ours, whatever the server calls its own', async () => {
  const { events, endpoint, first } = await open(ana);
  expect(first).toBe('endpoint');
  expect(new URL(endpoint.url).origin).toBe(new URL(world.url).origin);
  expect(endpoint.url).not.toContain('session=s');
  const accepted = await post(endpoint, rpc('tools/list', {}, 7));
  expect([accepted.status, await accepted.text()]).toEqual([202, '']);
  expect(await events.next()).toMatchObject({ event: 'message', message: { id: 7, result: {} } });
  await events.cancel();
});

test('two clients with equal ids get each their own answer', async () => {
  const [one, two] = [await open(ana), await open(await world.as('bo'))];
  await Promise.all([
    post(one.endpoint, rpc('tools/list', {}, 1)),
    post(two.endpoint, rpc('tools/list', {}, 1)),
  ]);
  const answers = await Promise.all([one.events.next(), two.events.next()]);
  const served = answers.map((answer) => answer?.message?.result?.['for']);
  expect(new Set(served).size).toBe(2);
  expect(answers.map((answer) => answer?.message?.id)).toEqual([1, 1]);
  await one.events.cancel();
  await two.events.cancel();
});

test("another caller's endpoint, a made-up one and one that is over are not there", async () => {
  const { events, endpoint } = await open(ana);
  const bo = await world.as('bo');
  const before = server.posted.length;
  const stolen = await post({ ...endpoint, token: bo.token }, rpc('ping', {}, 1));
  const invented = await post({ ...ana, url: `${world.url}?sessionId=x` }, rpc('ping', {}, 1));
  const none = await post(ana, rpc('ping', {}, 1));
  expect([stolen.status, invented.status, none.status]).toEqual([404, 404, 404]);
  expect((await messageOf(stolen)).error?.code).toBe(-32001);
  expect(server.posted).toHaveLength(before);
  await events.cancel();
  await expect.poll(() => server.streams.size).toBe(0);
  expect((await post(endpoint, rpc('ping', {}, 1))).status).toBe(404);
});

test('a server that names an endpoint elsewhere is not followed', async () => {
  server.endpoint = 'http://evil.example/messages';
  const response = await fetch(ana.url, { headers: { accept: 'text/event-stream', ...bearer(ana.token) } });
  server.endpoint = '/messages';
  expect(response.status).toBe(502);
  expect((await messageOf(response)).error?.message).toContain('not on its own origin');
});

test('what is no message is refused at once, and the stream goes on', async () => {
  const { events, endpoint } = await open(ana);
  for (const body of ['{', '{"jsonrpc":"1.0"}', '"x"'])
    expect((await post(endpoint, body)).status, body).toBe(400);
  await post(endpoint, rpc('tools/list', {}, 3));
  expect((await events.next())?.message).toMatchObject({ id: 3 });
  await events.cancel();
});

test('a server that closes the stream ends the session', async () => {
  const { events, endpoint } = await open(ana);
  for (const stream of server.streams.values()) stream.end();
  expect(await events.next()).toBeUndefined();
  expect((await post(endpoint, rpc('ping', {}, 1))).status).toBe(404);
});

test('what the server asks is declined where the gateway does not let it, and the client hears nothing', async () => {
  const { events, endpoint } = await open(ana);
  const session = [...server.streams.keys()].at(-1) ?? '';
  const ask = { jsonrpc: '2.0', id: 'ask-1', method: 'elicitation/create', params: {} };
  server.streams.get(session)?.write(`event: message\ndata: ${JSON.stringify(ask)}\n\n`);
  const answer = (): unknown => server.posted.findLast((one) => one.session === session)?.body;
  await expect
    .poll(answer, { timeout: 10_000 })
    .toBe('{"jsonrpc":"2.0","id":"ask-1","result":{"action":"decline"}}');
  await post(endpoint, rpc('ping', {}, 7));
  expect((await events.next())?.message).toMatchObject({ id: 7 });
  await events.cancel();
});
