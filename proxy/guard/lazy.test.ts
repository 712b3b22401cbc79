/** A gateway pays for the parsers that its rules need, and for no others. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { RuleMatch } from '../../crds/bundle.ts';

const guard = resolve(import.meta.dirname, 'index.ts');

/** Runs in a process of its own, which tells what it loaded of the parsers. */
function program(match: RuleMatch | undefined): string {
  const rule = {
    ...{ name: 'tools/r', revision: '1', effect: 'Deny', expiresAfterMs: 1000 },
    approvers: { users: [], groups: [], count: 1, notTheRequester: true },
    match,
  };
  return `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks({ resolve(specifier, context, next) {
      const found = next(specifier, context);
      for (const name of ['libpg-query', 'unbash']) if (found.url.includes('/node_modules/' + name + '/')) seen.add(name);
      return found;
    } });
    const { compileGuard } = await import(${JSON.stringify(guard)});
    await compileGuard(${match === undefined ? '[]' : JSON.stringify([rule])});
    console.log(JSON.stringify([...seen].sort()));
  `;
}

async function loadedFor(match: RuleMatch | undefined): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    program(match),
  ]);
  return JSON.parse(stdout);
}

const sql = (dialect: 'PostgreSQL' | 'MySQL'): RuleMatch => ({
  sql: { dialect, argument: 'sql', statements: ['Delete'] },
});

test.each<[string, RuleMatch | undefined, string[]]>([
  ['without rules', undefined, []],
  ['with a rule about a tool and a condition', { tools: ['x'], when: 'request.arguments.n > 1' }, []],
  ['with SQL that is judged by its words', sql('MySQL'), []],
  ['with SQL of PostgreSQL', sql('PostgreSQL'), ['libpg-query']],
  // Commands may hold SQL of their own.
  ['with shell', { shell: { argument: 'command', effects: ['Destructive'] } }, ['libpg-query', 'unbash']],
])('%s', { timeout: 60_000 }, async (_, match, loaded) => {
  expect(await loadedFor(match)).toEqual(loaded);
});
