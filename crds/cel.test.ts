import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CelError, MAX_CEL_LENGTH, compileCel, type CelVariables } from './cel.ts';

const variables = (args: unknown = {}, more: Partial<CelVariables['request']> = {}): CelVariables => ({
  caller: {
    provider: 'staff',
    issuer: 'https://login.example',
    subject: 'u1',
    username: 'ann',
    clientId: undefined,
    groups: ['support', 'dba'],
    serviceAccount: undefined,
    spiffeId: undefined,
    claims: { level: 3, org: { unit: 'a' } },
    anonymous: false,
  },
  request: {
    method: 'tools/call',
    tool: 'query',
    prompt: undefined,
    resource: undefined,
    name: 'query',
    arguments: args,
    ...more,
  },
  session: { id: 's', era: 'legacy', revision: '2025-06-18' },
  call: { classes: ['Delete'], targets: ['orders'], risk: 55 },
});

const value = (expression: string, args: unknown = {}) => {
  const result = compileCel(expression).evaluate(variables(args));
  return result.ok ? result.value : `error: ${result.error}`;
};
const refusal = (expression: string, place?: 'access' | 'rule') => {
  try {
    compileCel(expression, place);
  } catch (error) {
    expect(error).toBeInstanceOf(CelError);
    if (error instanceof CelError) return error.message;
  }
  return undefined;
};

describe('evaluation', () => {
  it.each<[string, unknown, boolean]>([
    ['request.arguments.limit <= 100', { limit: 100 }, true],
    ['request.arguments.limit <= 100', { limit: 101 }, false],
    ['request.arguments.limit <= 100', { limit: 99.5 }, true],
    ['request.arguments.limit <= 100', { limit: 100.5 }, false],
    ['request.arguments.limit == 5', { limit: 5 }, true],
    ['request.arguments.limit == 5', { limit: '5' }, false],
    ['request.arguments.limit + 1 == 6', { limit: 5 }, true],
    ['request.arguments.limit <= 9007199254740992', { limit: 9007199254740993n }, false],
    ['request.arguments.id == 9007199254740993', { id: 9007199254740993n }, true],
    ['request.arguments.id == 9007199254740992', { id: 9007199254740993n }, false],
    ['request.arguments.ids[1] == 2', { ids: [1, 2] }, true],
    ['request.arguments.a.b.c == "x"', { a: { b: { c: 'x' } } }, true],
    ['has(request.arguments.limit)', {}, false],
    ['has(request.arguments.limit) && request.arguments.limit < 3', {}, false],
    ['has(caller.serviceAccount)', {}, false],
    ['has(request.arguments.constructor)', {}, false],
    ['"toString" in request.arguments', {}, false],
    ['request.arguments.constructor == "x"', { constructor: 'x' }, true],
    ['request.arguments.x == null', { x: null }, true],
    ['caller.groups.exists(g, g == "support")', {}, true],
    ['"dba" in caller.groups', {}, true],
    ['caller.claims.level >= 3 && caller.claims.org.unit == "a"', {}, true],
    ['"Delete" in call.classes && call.risk >= 55', {}, true],
    ['session.era == "legacy" && request.name == request.tool', {}, true],
    ['request.arguments.path.matches("^/home/[a-z]+$")', { path: '/home/ann' }, true],
    ['request.arguments.path.matches("^/home/[a-z]+$")', { path: '/etc/passwd' }, false],
    ['size(request.arguments) == 1', { a: 1 }, true],
  ])('%s with %o is %s', (expression, args, expected) => {
    expect(value(expression, args)).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['request.arguments.limit <= 100', {}],
    ['request.arguments.limit <= 100', { limit: 'many' }],
    ['request.arguments.limit <= 100', { limit: null }],
    ['request.arguments.limit <= 9007199254740992', { limit: Number('9007199254740993') }],
    ['request.arguments.limit == request.arguments.other', { limit: 2 ** 60, other: 2 ** 60 }],
    ['request.arguments.limit > 1', { limit: 10n ** 30n }],
    ['caller.serviceAccount == "a/b"', {}],
    ['request.prompt == "p"', {}],
    ['request.arguments.path.matches("a")', { path: 5 }],
    ['request.arguments.flag', { flag: 'yes' }],
    ['request.arguments == 1', {}],
  ])('%s with %o is an error', (expression, args) => {
    try {
      expect(value(expression, args)).toMatch(/^error: /);
    } catch (error) {
      expect(error).toBeInstanceOf(CelError);
    }
  });

  it('never shows a value of the arguments in an error', () => {
    expect(value('bool(request.arguments.x)', { x: 'hunter2' })).not.toContain('hunter2');
    expect(value('request.arguments.x > 1', { x: 'hunter2' })).not.toContain('hunter2');
  });

  it('has no call in an access rule', () => {
    expect(refusal('call.risk > 1', 'access')).toContain('the variables are caller, request, session');
    expect(compileCel('caller.anonymous', 'access').evaluate(variables())).toEqual({
      ok: true,
      value: false,
    });
  });
});

describe('bounds', () => {
  const many = { xs: Array.from({ length: 200_000 }, (_, index) => index) };
  it.each([
    'request.arguments.xs.all(x, request.arguments.xs.exists(y, y == x))',
    'request.arguments.xs.exists_one(x, request.arguments.xs.all(y, y >= x))',
    'request.arguments.xs.map(x, request.arguments.xs.filter(y, y == x)).size() == 0',
    'request.arguments.xs.filter(x, request.arguments.xs.map(y, y > 1, y).size() == 0).size() == 0',
    'true && (false || request.arguments.xs.all(x, [request.arguments.xs.exists(y, y == x)] == [true]))',
    'request.arguments.xs.all(x, {"k": request.arguments.xs.exists(y, y == x)}.k)',
    'request.arguments.xs.all(x, request.arguments.xs.exists(y, y == x) ? true : false)',
    'request.arguments.xs.all(x, size(request.arguments.xs.filter(y, y == x)) > 0)',
    'request.arguments.xs.all(x, !request.arguments.xs.all(y, y != x))',
    'request.arguments.xs.all(x, request.arguments.xs.map(y, y)[0] == 0)',
  ])('%s spends its budget and is an error', (expression) => {
    expect(value(expression, many)).toMatch(/^error: .*bound/);
  });

  it('lets an ordinary iteration over large arguments pass', () => {
    expect(
      value('caller.groups.exists(g, g == "dba") && request.arguments.x != ""', { x: 'a'.repeat(1e6) }),
    ).toBe(true);
    expect(value('request.arguments.xs.all(x, x >= 0)', { xs: Array.from({ length: 5000 }, () => 1) })).toBe(
      true,
    );
  });

  it('is linear where a backtracking engine would not end', () => {
    expect(value('request.arguments.x.matches("^(a+)+$")', { x: `${'a'.repeat(50_000)}!` })).toBe(false);
  });

  it('bounds length, depth and nodes', () => {
    expect(refusal(`"${'a'.repeat(MAX_CEL_LENGTH)}" == ""`)).toContain('at most 4096');
    expect(refusal(`${'('.repeat(100)}true${')'.repeat(100)}`)).toContain('maxDepth');
    expect(refusal(Array.from({ length: 900 }, () => '1').join('<'))).toBeDefined();
  });
});

describe('refusals', () => {
  it.each<[string, string]>([
    ['foo == 1', 'at character 1: unknown variable: foo; the variables are caller, request, session, call'],
    ['request.foo == 1', 'at character 9: no such key: foo; request has method, tool, prompt'],
    ['request.tool ==', 'at character 16: unexpected token: EOF'],
    ['true &&\n  foo', 'at line 2, character 3'],
    ['1 + 1', 'gives int; it must give true or false'],
    ['request.arguments', 'it must give true or false'],
    ['"a" == 1', 'no such overload'],
    ['request.tool.matches(request.name)', 'string literal'],
    ['request.tool.matches("(")', 'RE2 pattern'],
    ['request.tool.matches("(?=a)(?!b)c")', 'RE2 pattern'],
    ['caller.groups.matches("a")', 'needs a string'],
    ['cel.bind(x, 1, x == 1)', 'not available'],
    ['nosuch(1)', 'nosuch'],
    ['', 'unexpected token'],
  ])('%j: %s', (expression, part) => {
    expect(refusal(expression)).toContain(part);
  });

  it('answers any text with a CelError or a condition that does not throw', () => {
    const word = fc.constantFrom(
      'request',
      '.',
      'arguments',
      '(',
      ')',
      '[',
      ']',
      'x',
      '1',
      '"a"',
      '==',
      '&&',
      '!',
      '?',
      ':',
      'all',
      ',',
      'in',
      '-',
      '{',
      '}',
      'matches',
      'has',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
        ),
        (text) => {
          try {
            compileCel(text).evaluate(variables({ x: [1, 'a', { x: null }] }));
          } catch (error) {
            expect(error).toBeInstanceOf(CelError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
