import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  answerOf,
  messageOf,
  modernCall,
  openSession,
  type Reply,
  type Way,
} from '../fixtures/hand-client.ts';
import { startWorld, type World } from './world.ts';

const access = [
  {
    groups: ['support'],
    tools: ['get_*'],
    prompts: ['greet'],
    resources: ['docs://public/*'],
    methods: ['vendor/ping'],
  },
  { groups: ['support'], tools: ['find'], when: 'request.arguments.limit <= 100' },
  { users: ['root'], tools: ['*'], prompts: ['*'], resources: ['*'] },
];

let world: World;
let sam: Way;
let root: Way;
let stranger: Way;
beforeAll(async () => {
  world = await startWorld({ spec: { access } });
  [sam, root, stranger] = [
    await world.as('sam', ['support']),
    await world.as('root'),
    await world.as('eve', ['supporters', 'Support']),
  ];
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

/** Both eras, one after the other. */
async function both(way: Way, method: string, params: Record<string, unknown> = {}): Promise<[Reply, Reply]> {
  const session = await openSession(way);
  return [
    await answerOf(await session.request(method, params)),
    await messageOf(await modernCall(way, method, params)),
  ];
}

const reached = (method: string): number =>
  world.server.heard.filter(({ message }) => message.method === method).length;

describe('lists', () => {
  const lists: readonly [string, string, object[], string, string[]][] = [
    [
      'tools/list',
      'tools',
      [{ name: 'get_a' }, { name: 'drop' }, { name: 'find' }],
      'name',
      ['get_a', 'find'],
    ],
    ['prompts/list', 'prompts', [{ name: 'greet' }, { name: 'insult' }], 'name', ['greet']],
    [
      'resources/list',
      'resources',
      [{ uri: 'docs://public/a' }, { uri: 'docs://secret/b' }],
      'uri',
      ['docs://public/a'],
    ],
    [
      'resources/templates/list',
      'resourceTemplates',
      [{ uriTemplate: 'docs://public/{x}' }, { uriTemplate: 'docs://secret/{x}' }],
      'uriTemplate',
      ['docs://public/{x}'],
    ],
  ];
  test.for(lists)('%s comes back filtered for each caller', async ([method, member, items, key, allowed]) => {
    world.server.on(method, (heard) => heard.result({ [member]: items, nextCursor: 'c' }));
    const keys = (reply: Reply): unknown[] =>
      z
        .array(z.looseObject({}))
        .parse(reply.result?.[member])
        .map((item) => item[key]);
    for (const reply of await both(sam, method)) {
      expect(keys(reply)).toEqual(allowed);
      expect(reply.result?.['nextCursor']).toBe('c');
    }
    for (const reply of await both(root, method)) expect(keys(reply)).toHaveLength(items.length);
    for (const reply of await both(stranger, method)) expect(keys(reply)).toEqual([]);
  });
});

describe('what no rule grants is not there', () => {
  const hidden: readonly [string, Record<string, unknown>, number, number, string][] = [
    ['tools/call', { name: 'drop' }, -32602, -32602, 'Unknown tool: drop'],
    ['prompts/get', { name: 'insult' }, -32602, -32602, 'Unknown prompt: insult'],
    ['resources/read', { uri: 'docs://secret/b' }, -32002, -32602, 'Resource not found: docs://secret/b'],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'insult' }, argument: {} },
      -32602,
      -32602,
      'Unknown prompt',
    ],
    ['vendor/other', {}, -32601, -32601, 'Method not found'],
  ];
  test.for(hidden)('%s %j', async ([method, params, legacyCode, modernCode, sentence]) => {
    const [legacy, modern] = await both(sam, method, params);
    expect([legacy.error?.code, modern.error?.code]).toEqual([legacyCode, modernCode]);
    expect(legacy.error?.message).toContain(sentence);
    expect(reached(method)).toBe(0);
  });

  test('a name that only looks like a granted one', async () => {
    // In a session, because the header Mcp-Name of 2026-07-28 cannot say some of them plainly.
    const session = await openSession(sam);
    for (const name of ['GET_a', ' get_a', 'get_a\n', 'xget_a', 'get', 'get_\u0000', ''])
      expect((await answerOf(await session.request('tools/call', { name }))).error, name).toBeDefined();
    for (const uri of ['docs://public', 'DOCS://public/a', 'docs://secret/../public/a'])
      expect((await answerOf(await session.request('resources/read', { uri }))).error, uri).toBeDefined();
    expect(reached('tools/call') + reached('resources/read')).toBe(0);
  });

  test('no name at all, or one that is no text', async () => {
    for (const params of [{}, { name: 1 }, { name: null }, { name: ['get_a'] }]) {
      const session = await openSession(sam);
      expect((await answerOf(await session.request('tools/call', params))).error?.code).toBe(-32602);
    }
    expect(reached('tools/call')).toBe(0);
  });
});

describe('what a rule grants', () => {
  test('tools, prompts, resources and methods are reached', async () => {
    const granted: readonly [string, Record<string, unknown>][] = [
      ['tools/call', { name: 'get_a' }],
      ['prompts/get', { name: 'greet' }],
      ['resources/read', { uri: 'docs://public/a' }],
      ['vendor/ping', {}],
    ];
    for (const [method, params] of granted) {
      world.server.on(method, (heard) => heard.result({ reached: method }));
      for (const reply of await both(sam, method, params))
        expect(reply.result, method).toEqual({ reached: method });
      expect(reached(method)).toBe(2);
    }
  });

  test('a condition sees the arguments; what it cannot evaluate is no grant', async () => {
    const find = async (args: unknown): Promise<Reply> =>
      messageOf(await modernCall(sam, 'tools/call', { name: 'find', arguments: args }));
    expect((await find({ limit: 100 })).result).toMatchObject({ content: [{ text: 'done' }] });
    for (const args of [{ limit: 101 }, { limit: 'x' }, {}, undefined, { limit: null }])
      expect((await find(args)).result?.['content'] ?? [], JSON.stringify(args)).not.toEqual([
        { type: 'text', text: 'done' },
      ]);
    expect(reached('tools/call')).toBe(1);
  });

  test("the caller's groups are those of the token, not of the request", async () => {
    const meta = { groups: ['support'], caller: { groups: ['support'] } };
    const response = await modernCall(
      stranger,
      'tools/call',
      { name: 'get_a' },
      { meta, headers: { 'x-groups': 'support' } },
    );
    expect((await messageOf(response)).error?.code).toBe(-32602);
  });
});
