import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  answerOf,
  LEGACY,
  messageOf,
  modernCall,
  openSession,
  post,
  rpc,
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

describe('endpoints', () => {
  test.for(LEGACY)('%s: one endpoint takes POST, GET and DELETE', async (revision) => {
    world.server.on('GET', (heard) => heard.stream().end());
    const session = await openSession(ana, revision);
    expect((await answerOf(await session.request('tools/call', { name: 'any' }))).result).toBeDefined();
    const stream = await session.get();
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await stream.body?.cancel();
    expect((await session.end()).status).toBe(200);
    expect(world.server.heard.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET', 'DELETE']);
  });

  test('a server that offers no GET stream is not made to: 405', async () => {
    const session = await openSession(ana);
    const response = await session.get();
    expect(response.status).toBe(405);
    expect(await messageOf(response)).toMatchObject({ error: { code: -32000 } });
  });

  test.for(['PUT', 'PATCH', 'OPTIONS'])('%s is no method of this endpoint', async (method) => {
    const response = await fetch(world.url, {
      method,
      headers: { authorization: `Bearer ${ana.token ?? ''}` },
    });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
  });

  test('2026-07-28: a GET that names the revision has nothing to open', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(world.url, {
        method,
        headers: { authorization: `Bearer ${ana.token ?? ''}`, 'mcp-protocol-version': '2026-07-28' },
      });
      expect(response.status, method).toBe(405);
    }
    expect(world.server.heard).toEqual([]);
  });

  test('what is neither the MCP path nor passed through is not there', async () => {
    for (const path of ['/', '/mcp/', '/mcp/x', '/metrics', '/health', '/MCP', '/mcp%2f']) {
      const response = await fetch(new URL(path, world.url), {
        headers: { authorization: `Bearer ${ana.token ?? ''}` },
      });
      expect(response.status, path).toBe(404);
    }
    expect(world.server.heard).toEqual([]);
  });
});

describe('era selection', () => {
  test('one endpoint serves clients of both eras, side by side', async () => {
    const session = await openSession(ana);
    const modern = await modernCall(ana, 'tools/call', { name: 'any' });
    expect((await messageOf(modern)).result).toBeDefined();
    expect((await answerOf(await session.request('tools/call', { name: 'any' }))).result).toBeDefined();
    const calls = world.server.heard.filter(({ message }) => message.method === 'tools/call');
    expect(calls.map(({ headers }) => headers['mcp-protocol-version'])).toEqual(['2026-07-28', '2025-11-25']);
  });

  test('initialize opens the old era, even towards a server that would do both', async () => {
    const response = await post(
      ana,
      rpc('initialize', { protocolVersion: '2025-06-18', capabilities: {} }, 1),
    );
    expect(response.headers.get('mcp-session-id')).not.toBeNull();
    expect((await answerOf(response)).result).toMatchObject({ protocolVersion: '2025-06-18' });
  });

  test('initialize with the header of 2026-07-28 belongs to neither', async () => {
    const response = await post(ana, rpc('initialize', { protocolVersion: '2026-07-28' }, 1), {
      headers: { 'mcp-protocol-version': '2026-07-28' },
    });
    expect(response.status).toBe(400);
    expect((await messageOf(response)).error?.code).toBe(-32020);
    expect(world.server.heard).toEqual([]);
  });
});

describe('Mcp-Session-Id', () => {
  test('the id is ours, visible ASCII, and given with the answer to initialize alone', async () => {
    const session = await openSession(ana);
    expect(session.id).toMatch(/^[\x21-\x7e]+$/);
    expect(session.id).not.toContain('upstream-');
    const [initialize] = world.server.heard;
    expect(initialize?.headers['mcp-session-id']).toBeUndefined();
    const later = await session.request('ping');
    expect(later.headers.get('mcp-session-id')).toBeNull();
    expect(world.server.heard.at(-1)?.headers['mcp-session-id']).toMatch(/^upstream-/);
  });

  test('an initialize that the server refuses opens no session', async () => {
    world.server.on('initialize', (heard) => heard.error(-32602, 'Not today'));
    const response = await post(ana, rpc('initialize', { protocolVersion: '2025-11-25' }, 1));
    expect((await answerOf(response)).error?.message).toBe('Not today');
    expect(response.headers.get('mcp-session-id')).toBeNull();
  });

  test.for(['GET', 'DELETE'])('%s without one: 400', async (method) => {
    const response = await fetch(world.url, {
      method,
      headers: { authorization: `Bearer ${ana.token ?? ''}`, accept: 'text/event-stream' },
    });
    expect(response.status).toBe(400);
    expect((await messageOf(response)).error?.message).toContain('Mcp-Session-Id');
  });

  test.for(LEGACY)('%s: a terminated one: 404 for every method', async (revision) => {
    const session = await openSession(ana, revision);
    expect((await session.end()).status).toBe(200);
    const answers = [await session.request('ping'), await session.get(), await session.end()];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  test('one that nobody issued, or that was changed: 404', async () => {
    const session = await openSession(ana);
    const changed = session.id.slice(0, -2) + (session.id.endsWith('AA') ? 'BB' : 'AA');
    for (const id of ['upstream-1', changed, `${session.id}=`, '']) {
      const response = await post(ana, rpc('ping', {}, 1), { headers: { 'mcp-session-id': id } });
      expect(response.status, id).toBe(404);
    }
  });

  test("another caller's: 404, and the session is not harmed", async () => {
    const session = await openSession(ana);
    const bo = await world.as('bo');
    const stolen = await post(bo, rpc('ping', {}, 1), { headers: session.headers });
    expect(stolen.status).toBe(404);
    expect((await messageOf(stolen)).error?.code).toBe(-32001);
    const ended = await fetch(world.url, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${bo.token}`, ...session.headers },
    });
    expect(ended.status).toBe(404);
    world.server.on('ping', (heard) => heard.result({}));
    expect((await answerOf(await session.request('ping'))).result).toEqual({});
  });

  test('one that the server has forgotten: 404, whatever the server calls it', async () => {
    for (const status of [404, 400]) {
      const session = await openSession(ana);
      world.server.on('ping', (heard) => heard.error(-32000, 'Bad Request: no session', status));
      expect((await session.request('ping')).status).toBe(404);
    }
  });

  test('2026-07-28: ignored, never minted, never sent on', async () => {
    world.server.on('tools/call', (heard) =>
      heard.result({ content: [] }, { 'mcp-session-id': 'upstream-x' }),
    );
    for (let round = 0; round < 2; round += 1) {
      const response = await modernCall(
        ana,
        'tools/call',
        { name: 'any' },
        { headers: { 'mcp-session-id': 'x' } },
      );
      expect([response.status, response.headers.get('mcp-session-id')]).toEqual([200, null]);
    }
    expect(world.server.heard.map(({ headers }) => headers['mcp-session-id'])).toEqual([
      undefined,
      undefined,
    ]);
  });
});
