import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlobs } from './glob.ts';

describe('compileGlobs', () => {
  it.each<[string[], string, boolean]>([
    [['query'], 'query', true],
    [['query'], 'Query', false],
    [['query'], 'query2', false],
    [['get_*'], 'get_order', true],
    [['get_*'], 'get_', true],
    [['get_*'], 'forget_it', false],
    [['*'], '', true],
    [['*'], 'a/b', true],
    [['db://*/rows'], 'db://a/b/rows', true],
    [['db://*/rows'], 'db://a/rows/x', false],
    [['a*a'], 'a', false],
    [['a*a'], 'aa', true],
    [['a*b*c'], 'abbc', true],
    [['a*bb*bc'], 'abbc', false],
    [['**x**'], 'x', true],
    [['a.c', 'b?'], 'abc', false],
    [['b?'], 'bx', false],
    [['x', 'get_*'], 'get_a', true],
    [[], 'x', false],
  ])('%j on %j is %s', (patterns, name, expected) => {
    expect(compileGlobs(patterns)(name)).toBe(expected);
  });

  it('agrees with a table of every way to match', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(text, name, (pattern, subject) => {
        expect(compileGlobs([pattern])(subject)).toBe(matchesByTable(pattern, subject));
      }),
    );
  });
});

function matchesByTable(pattern: string, name: string): boolean {
  let reached = [0];
  for (const character of pattern) {
    reached = reached.flatMap((at) => {
      if (character === '*')
        return Array.from({ length: name.length - at + 1 }, (_, skipped) => at + skipped);
      return name[at] === character ? [at + 1] : [];
    });
  }
  return reached.includes(name.length);
}
