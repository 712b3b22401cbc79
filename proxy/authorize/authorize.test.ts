import { describe, expect, it } from 'vitest';
import type { AccessRule, Who } from '../../crds/bundle.ts';
import type { Caller, ClientMessage, Era, Identified, Target } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { compileAccess, type AccessDeps } from './index.ts';

const nobody: Who = {
  users: [],
  groups: [],
  serviceAccounts: [],
  spiffeIds: [],
  authenticated: false,
  anonymous: false,
};

function rule(who: Partial<Who>, grants: Partial<Omit<AccessRule, 'who'>>): AccessRule {
  return { who: { ...nobody, ...who }, tools: [], prompts: [], resources: [], methods: [], ...grants };
}

const alice: Caller = {
  provider: 'staff',
  issuer: 'https://issuer.example',
  subject: 'u-1',
  username: 'alice',
  clientId: undefined,
  groups: ['support'],
  serviceAccount: undefined,
  spiffeId: undefined,
  claims: { tier: 'gold' },
  anonymous: false,
};
const agent: Caller = {
  ...alice,
  subject: 'agent',
  username: 'agent',
  groups: [],
  serviceAccount: 'agents/triage',
};
const workload: Caller = { ...agent, serviceAccount: undefined, spiffeId: 'spiffe://corp.example/triage' };
const stranger: Caller = { ...alice, subject: 'u-9', username: 'mallory', groups: [], claims: {} };
const anyone: Caller = {
  ...stranger,
  provider: 'anyone',
  issuer: '',
  subject: 'anonymous',
  username: 'anonymous',
  anonymous: true,
};

function exchange(message: ClientMessage, caller = alice, era: Era = 'legacy'): Identified {
  const revision = era === 'legacy' ? '2025-06-18' : '2026-07-28';
  return { exchange: 'x1', at: 0, message, caller, session: { id: 's1', era, revision } };
}

function request(method: string, params: Record<string, unknown> = {}): ClientMessage {
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  return { kind: 'request', id: 1, method, target: targetOf(method, params), params, text };
}

/** As the stage before sets it. */
function targetOf(method: string, { name, uri }: Record<string, unknown>): Target | undefined {
  if (method === 'tools/call' && typeof name === 'string') return { kind: 'tool', name };
  if (method === 'prompts/get' && typeof name === 'string') return { kind: 'prompt', name };
  if (method.startsWith('resources/') && typeof uri === 'string') return { kind: 'resource', uri };
  return undefined;
}

const call = (name: string, args?: Record<string, unknown>): ClientMessage =>
  request('tools/call', { name, ...(args && { arguments: args }) });

function outcome(
  rules: readonly AccessRule[],
  identified: Identified,
  deps?: AccessDeps,
): Refusal | 'granted' {
  try {
    compileAccess(rules, deps).authorize(identified);
    return 'granted';
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function granted(rules: readonly AccessRule[], identified: Identified, deps?: AccessDeps): boolean {
  return outcome(rules, identified, deps) === 'granted';
}

describe('who', () => {
  const cases: [string, Partial<Who>, Caller, boolean][] = [
    ['a user by username', { users: ['alice'] }, alice, true],
    ['a user by subject', { users: ['u-1'] }, alice, true],
    ['another user', { users: ['alice'] }, stranger, false],
    ['a group', { groups: ['support'] }, alice, true],
    ['another group', { groups: ['Support'] }, alice, false],
    ['a service account', { serviceAccounts: ['agents/triage'] }, agent, true],
    ['a SPIFFE id', { spiffeIds: ['spiffe://corp.example/triage'] }, workload, true],
    ['everybody with a proof', { authenticated: true }, stranger, true],
    ['nobody without one', { authenticated: true }, anyone, false],
    ['anonymous callers', { anonymous: true }, anyone, true],
    ['no others', { anonymous: true }, alice, false],
    ['no anonymous caller by name', { users: ['anonymous'], groups: ['support'] }, anyone, false],
    ['nobody', {}, alice, false],
  ];
  it.each(cases)('%s', (_, who, caller, expected) => {
    expect(granted([rule(who, { tools: ['*'] })], exchange(call('query'), caller))).toBe(expected);
  });
});

describe('tools, prompts and resources', () => {
  const rules = [
    rule(
      { groups: ['support'] },
      { tools: ['query', 'get_*'], prompts: ['help'], resources: ['file:///docs/*'] },
    ),
  ];

  it.each([
    [call('query'), true],
    [call('get_order'), true],
    [call('Query'), false],
    [call('drop'), false],
    [request('prompts/get', { name: 'help' }), true],
    [request('prompts/get', { name: 'query' }), false],
    [request('resources/read', { uri: 'file:///docs/a/b.md' }), true],
    [request('resources/read', { uri: 'file:///etc/passwd' }), false],
    [request('resources/subscribe', { uri: 'file:///docs/a' }), true],
    [request('resources/unsubscribe', { uri: 'file:///etc' }), false],
    [request('completion/complete', { ref: { type: 'ref/prompt', name: 'help' } }), true],
    [request('completion/complete', { ref: { type: 'ref/prompt', name: 'other' } }), false],
    [request('completion/complete', { ref: { type: 'ref/resource', uri: 'file:///docs/{name}' } }), true],
    [request('completion/complete', { ref: { type: 'ref/resource', uri: 'file:///{path}' } }), false],
    [request('subscriptions/listen', { notifications: { toolsListChanged: true } }), true],
    [request('subscriptions/listen', { notifications: { resourceSubscriptions: ['file:///docs/a'] } }), true],
    [
      request('subscriptions/listen', {
        notifications: { resourceSubscriptions: ['file:///docs/a', 'file:///b'] },
      }),
      false,
    ],
    [request('resources/read', { uri: 'file:///docs/a\nb' }), false],
    [call('get_\u0000'), false],
  ])('%j', (message, expected) => {
    expect(granted(rules, exchange(message))).toBe(expected);
  });

  it('looks like an unknown thing where it is hidden, to whoever no rule speaks of too', () => {
    for (const caller of [alice, stranger]) {
      expect(outcome(rules, exchange(call('drop'), caller))).toMatchObject({
        message: 'Unknown tool: drop',
        as: -32602,
      });
    }
    expect(outcome(rules, exchange(request('prompts/get', { name: 'x' })))).toMatchObject({ as: -32602 });
    const read = request('resources/read', { uri: 'file:///x' });
    expect(outcome(rules, exchange(read))).toMatchObject({ code: 'access_denied', as: -32002 });
    expect(outcome(rules, exchange(read, alice, 'modern'))).toMatchObject({ as: -32602 });
  });

  it.each([
    request('tools/call', {}),
    request('prompts/get', { name: 1 }),
    request('resources/read', {}),
    request('completion/complete', { ref: { type: 'other', name: 'help' } }),
    request('completion/complete', {}),
    request('subscriptions/listen', {}),
    request('subscriptions/listen', { notifications: { resourceSubscriptions: 'file:///docs/a' } }),
    request('tasks/get', {}),
  ])('refuses a request that does not say what it wants: %j', (message) => {
    expect(
      outcome([rule({ authenticated: true }, { tools: ['*'], resources: ['*'] })], exchange(message)),
    ).toMatchObject({
      code: 'bad_request',
      as: -32602,
    });
  });

  it('grants nothing without rules', () => {
    expect(granted([], exchange(call('query')))).toBe(false);
  });
});

describe('when', () => {
  const limited = [
    rule({ groups: ['support'] }, { tools: ['get_*'], when: 'request.arguments.limit <= 100' }),
  ];

  it('is judged over the arguments; an error is no grant', () => {
    expect(granted(limited, exchange(call('get_order', { limit: 100 })))).toBe(true);
    expect(granted(limited, exchange(call('get_order', { limit: 101 })))).toBe(false);
    expect(granted(limited, exchange(call('get_order', { limit: 'x' })))).toBe(false);
    expect(granted(limited, exchange(call('get_order')))).toBe(false);
  });

  it('sees numbers as they are written', () => {
    const rules = [
      rule({ authenticated: true }, { tools: ['*'], when: 'request.arguments.id == 9007199254740993' }),
    ];
    const withId = (id: string): ClientMessage => ({
      ...request('tools/call', { name: 'query' }),
      text: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{"id":${id}}}}`,
    });
    expect(granted(rules, exchange(withId('9007199254740993')))).toBe(true);
    expect(granted(rules, exchange(withId('9007199254740992')))).toBe(false);
  });

  it('says that the arguments are at fault only to those who may know of the tool', () => {
    const bad = call('get_order', { limit: 101 });
    expect(outcome(limited, exchange(bad))).toMatchObject({ as: 'tool', code: 'access_denied' });
    expect(outcome(limited, exchange(bad, stranger))).toMatchObject({ message: 'Unknown tool: get_order' });
  });

  it('shows in lists what could be called with some arguments', () => {
    const access = compileAccess(limited);
    const tool: Target = { kind: 'tool', name: 'get_order' };
    expect(access.visible(exchange(call('x')), tool)).toBe(true);
    expect(access.visible(exchange(call('x'), stranger), tool)).toBe(false);
  });

  it('hides in lists what the caller cannot call with any', () => {
    const tool: Target = { kind: 'tool', name: 'query' };
    const visible = (when: string, caller: Caller): boolean =>
      compileAccess([rule({ authenticated: true }, { tools: ['*'], when })]).visible(
        exchange(call('x'), caller),
        tool,
      );
    expect(visible("caller.claims.tier == 'gold'", alice)).toBe(true);
    expect(visible("caller.claims.tier == 'gold'", stranger)).toBe(false);
    expect(visible("'support' in caller.groups && request.arguments.limit < 9", alice)).toBe(true);
    expect(visible("'support' in caller.groups && request.arguments.limit < 9", stranger)).toBe(false);
    expect(visible("request.tool == 'query'", alice)).toBe(true);
    expect(visible("request.tool == 'other'", alice)).toBe(false);
  });

  it('may look at the method', () => {
    const rules = [
      rule({ authenticated: true }, { resources: ['*'], when: "request.method == 'resources/subscribe'" }),
    ];
    expect(granted(rules, exchange(request('resources/subscribe', { uri: 'a:b' })))).toBe(true);
    expect(granted(rules, exchange(request('resources/read', { uri: 'a:b' })))).toBe(false);
  });
});

describe('methods', () => {
  it.each([
    'initialize',
    'ping',
    'server/discover',
    'logging/setLevel',
    'tools/list',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
  ])('%s is open to whoever is identified', (method) => {
    expect(granted([], exchange(request(method), stranger))).toBe(true);
  });

  it.each(['initialized', 'cancelled', 'progress', 'roots/list_changed'])(
    'notifications/%s is open',
    (name) => {
      const message: ClientMessage = {
        kind: 'notification',
        method: `notifications/${name}`,
        params: {},
        text: '',
      };
      expect(granted([], exchange(message, stranger))).toBe(true);
    },
  );

  it('lets answers to the server through', () => {
    expect(granted([], exchange({ kind: 'response', id: 1, text: '' }, stranger))).toBe(true);
  });

  it('grants vendor methods by name alone', () => {
    const rules = [rule({ groups: ['support'] }, { tools: ['*'], methods: ['vendor/*'] })];
    expect(granted(rules, exchange(request('vendor/reindex')))).toBe(true);
    expect(granted(rules, exchange(request('vendor/reindex'), stranger))).toBe(false);
    expect(outcome(rules, exchange(request('toString')))).toMatchObject({
      code: 'not_found',
      as: -32601,
      status: 200,
    });
    expect(outcome(rules, exchange(request('other/x'), alice, 'modern'))).toMatchObject({
      as: -32601,
      status: 404,
    });
  });

  it('does not let a glob over methods reach tools', () => {
    const rules = [rule({ authenticated: true }, { methods: ['*'] })];
    expect(granted(rules, exchange(call('query')))).toBe(false);
    expect(granted(rules, exchange(request('tasks/get', { taskId: 't' })))).toBe(false);
  });

  it('refuses a call that comes as a notification, whatever is granted', () => {
    const everything = rule({ authenticated: true }, { tools: ['*'], methods: ['*'] });
    const message: ClientMessage = {
      kind: 'notification',
      method: 'tools/call',
      params: { name: 'query' },
      text: '',
    };
    expect(outcome([everything], exchange(message))).toMatchObject({ code: 'bad_request' });
  });
});

describe('tasks', () => {
  const rules = [rule({ groups: ['support'] }, { tools: ['query'], when: 'request.arguments.limit < 9' })];
  const made: AccessDeps = {
    taskTarget: (caller, taskId) =>
      caller.subject === 'u-1' && taskId === 't1' ? { kind: 'tool', name: 'query' } : undefined,
  };

  it('follow the tool that made them, for whom it made them', () => {
    expect(granted(rules, exchange(request('tasks/get', { taskId: 't1' })), made)).toBe(true);
    expect(granted(rules, exchange(request('tasks/cancel', { taskId: 't2' })), made)).toBe(false);
    expect(granted(rules, exchange(request('tasks/get', { taskId: 't1' }), stranger), made)).toBe(false);
    const listen = request('subscriptions/listen', { notifications: { taskIds: ['t1', 't2'] } });
    expect(granted(rules, exchange(listen), made)).toBe(false);
  });

  it('are refused where nobody remembers who made them', () => {
    expect(granted(rules, exchange(request('tasks/result', { taskId: 't1' })))).toBe(false);
  });
});
