import { request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  answerOf,
  bearer,
  messageOf,
  modernCall,
  openSession,
  post,
  rpc,
  type Headers,
  type Way,
} from '../../fixtures/hand-client.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld();
  ana = await world.as('ana');
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

describe('MCP-Protocol-Version', () => {
  test('2025-03-26: has none, and the server is sent none', async () => {
    const session = await openSession(ana, '2025-03-26');
    await session.request('tools/call', { name: 'any' });
    expect(world.server.heard.at(-1)?.headers['mcp-protocol-version']).toBeUndefined();
  });

  test('2025-06-18 on: travels on as it came', async () => {
    const session = await openSession(ana, '2025-06-18');
    await session.request('tools/call', { name: 'any' });
    expect(world.server.heard.at(-1)?.headers['mcp-protocol-version']).toBe('2025-06-18');
  });

  test('2025-06-18 on: an unknown one is refused with 400, for POST, GET and DELETE', async () => {
    const session = await openSession(ana, '2025-06-18');
    const headers = { 'mcp-protocol-version': '2025-13-01' };
    const answers = [await session.request('ping', {}, { headers }), await session.get(headers)];
    answers.push(
      await fetch(world.url, {
        method: 'DELETE',
        headers: { ...bearer(ana.token), ...session.headers, ...headers },
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(world.server.heard).toHaveLength(1);
  });

  test('2026-07-28: must be there and equal what the body says', async () => {
    for (const version of ['2025-11-25', '2026-07-29', '']) {
      const response = await modernCall(
        ana,
        'tools/list',
        {},
        { headers: { 'mcp-protocol-version': version } },
      );
      expect([response.status, (await messageOf(response)).error?.code], version).toEqual([400, -32020]);
    }
    expect(world.server.heard).toEqual([]);
  });

  test('2026-07-28: an unknown revision is refused with what is supported', async () => {
    const response = await modernCall(
      ana,
      'tools/list',
      {},
      {
        meta: { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' },
        headers: { 'mcp-protocol-version': '2027-01-01' },
      },
    );
    expect(response.status).toBe(400);
    expect((await messageOf(response)).error).toMatchObject({
      code: -32022,
      data: { supported: ['2026-07-28'], requested: '2027-01-01' },
    });
  });

  test('2026-07-28: a header without the _meta that belongs to it: 400 and -32602', async () => {
    const response = await post(ana, rpc('tools/list', {}, 7), {
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
    });
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toMatchObject({ id: 7, error: { code: -32602 } });
  });

  test('the error of a server that lacks a client capability passes: 400 and -32021', async () => {
    world.server.on('tools/call', (heard) => heard.error(-32021, 'sampling is needed', 400));
    const response = await modernCall(ana, 'tools/call', { name: 'any' });
    expect([response.status, (await messageOf(response)).error?.code]).toEqual([400, -32021]);
  });
});

const SCHEMA = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    limit: { type: 'integer', 'x-mcp-header': 'Limit' },
    where: { type: 'object', properties: { zone: { type: 'string', 'x-mcp-header': 'Zone' } } },
  },
};

describe('Mcp-Method and Mcp-Name', () => {
  const cases: readonly [string, string, Record<string, unknown>, Headers][] = [
    ['another method', 'tools/call', { name: 'a' }, { 'mcp-method': 'tools/list' }],
    ['another tool', 'tools/call', { name: 'a' }, { 'mcp-name': 'b' }],
    ['another prompt', 'prompts/get', { name: 'a' }, { 'mcp-name': 'b' }],
    ['another resource', 'resources/read', { uri: 'x://a' }, { 'mcp-name': 'x://b' }],
    ['another task', 'tasks/get', { taskId: 'a' }, { 'mcp-name': 'b' }],
    ['a name that is no base64', 'tools/call', { name: 'a' }, { 'mcp-name': '=?base64?!!?=' }],
    ['an empty method', 'tools/call', { name: 'a' }, { 'mcp-method': '' }],
  ];
  test.for(cases)('%s: 400 and -32020', async ([, method, params, headers]) => {
    const response = await modernCall(ana, method, params, { headers });
    expect([response.status, (await messageOf(response)).error?.code]).toEqual([400, -32020]);
    expect(world.server.heard).toEqual([]);
  });

  test('a name beyond ASCII comes as base64, and is compared decoded', async () => {
    const name = 'grüße';
    const header = `=?base64?${Buffer.from(name).toString('base64')}?=`;
    world.server.on('tools/call', (heard) => heard.result({ content: [] }));
    const call = await post(ana, rpc('tools/call', { name, _meta: META }, 1), {
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': header },
    });
    expect(call.status).toBe(200);
    expect(world.server.heard.at(-1)?.headers).toMatchObject({
      'mcp-name': header,
      'mcp-method': 'tools/call',
    });
  });
});

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

describe('Mcp-Param-*', () => {
  const call = (args: object, headers: Headers): Promise<Response> =>
    modernCall(ana, 'tools/call', { name: 'find', arguments: args }, { headers });

  test('one that nobody knows travels on', async () => {
    const response = await call({ region: 'eu' }, { 'mcp-param-strange': 'value' });
    expect(response.status).toBe(200);
    expect(world.server.heard.at(-1)?.headers['mcp-param-strange']).toBe('value');
  });

  test('declared ones must repeat the argument: base64 decoded, integers as numbers, nested by path', async () => {
    world.server.on('tools/list', (heard) =>
      heard.result({ tools: [{ name: 'find', inputSchema: SCHEMA }], ttlMs: 0, cacheScope: 'private' }),
    );
    await modernCall(ana, 'tools/list');
    const args = { region: 'süd', limit: 7, where: { zone: 'a' } };
    const region = `=?base64?${Buffer.from('süd').toString('base64')}?=`;
    const good = { 'mcp-param-region': region, 'mcp-param-limit': '7', 'mcp-param-zone': 'a' };
    expect((await call(args, good)).status).toBe(200);
    expect((await call(args, { ...good, 'mcp-param-limit': '7.0' })).status).toBe(200);
    expect((await call(args, { ...good, 'mcp-param-limit': '007' })).status).toBe(200);
    expect(world.server.heard.at(-1)?.headers['mcp-param-region']).toBe(region);

    const forwarded = world.server.heard.length;
    for (const wrong of [
      { ...good, 'mcp-param-region': 'nord' },
      { ...good, 'mcp-param-limit': '8' },
      { ...good, 'mcp-param-zone': 'b' },
      { ...good, 'mcp-param-region': '=?base64?%%%?=' },
    ]) {
      const response = await call(args, wrong);
      expect([response.status, (await messageOf(response)).error?.code]).toEqual([400, -32020]);
    }
    expect(world.server.heard).toHaveLength(forwarded);
  });
});

describe('Origin and Host', () => {
  test('a foreign Origin is refused with 403, whatever the revision', async () => {
    for (const origin of ['http://evil.example', 'null', 'file://', 'http://127.0.0.1:1']) {
      const legacy = await post(ana, rpc('ping', {}, 1), { headers: { origin } });
      const modern = await modernCall(ana, 'tools/list', {}, { headers: { origin } });
      const metadata = await fetch(new URL('/.well-known/oauth-protected-resource', world.url), {
        headers: { origin },
      });
      expect([legacy.status, modern.status, metadata.status], origin).toEqual([403, 403, 403]);
    }
    expect(world.server.heard).toEqual([]);
  });

  test('its own Origin, and none, are let in', async () => {
    const own = await modernCall(
      ana,
      'tools/call',
      { name: 'a' },
      { headers: { origin: new URL(world.url).origin } },
    );
    expect(own.status).toBe(200);
    expect((await answerOf(await modernCall(ana, 'tools/call', { name: 'a' }))).result).toBeDefined();
  });

  test('a foreign Host is refused with 403, and none with 400', async () => {
    expect(await statusWithHost('evil.example')).toBe(403);
    expect(await statusWithHost(`evil.example:${new URL(world.url).port}`)).toBe(403);
    expect(await statusWithHost(new URL(world.url).host)).toBe(405);
    expect(world.server.heard).toEqual([]);
  });
});

function statusWithHost(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(world.url, { method: 'PUT', headers: { host, ...bearer(ana.token) } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

describe('what travels on', () => {
  test('trace context does; token, cookies, addresses and forwarding headers stay here', async () => {
    const headers = {
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      cookie: 'session=1',
      'x-forwarded-for': '10.0.0.1',
      'x-api-key': 'mine',
      'proxy-authorization': 'Basic x',
      'last-event-id': '7',
    };
    for (const response of [
      await modernCall(ana, 'tools/call', { name: 'a' }, { headers }),
      await (await openSession(ana)).request('tools/call', { name: 'a' }, { headers }),
    ])
      expect(response.status).toBe(200);
    for (const { headers: seen, body } of world.server.heard) {
      expect(JSON.stringify(seen) + body).not.toContain(ana.token);
      for (const name of ['authorization', 'cookie', 'x-forwarded-for', 'x-api-key', 'last-event-id'])
        expect(seen[name], name).toBeUndefined();
    }
    expect(world.server.heard.at(-1)?.headers['traceparent']).toBe(headers.traceparent);
  });
});
