import { expect, test } from 'vitest';
import type { Rule, RuleMatch } from '../../crds/bundle.ts';
import { callIn } from '../../test/fixtures/exchange.ts';
import { compileStatementGuard, refusalOf, type SpokenFor } from './statement.ts';

function rule(name: string, match: RuleMatch, effect: Rule['effect'] = 'RequireApproval'): Rule {
  const approvers = { users: [], groups: ['dba'], count: 1, notTheRequester: true };
  return { name: `tools/${name}`, revision: name, match, effect, approvers, expiresAfterMs: 1000 };
}

const deletes: RuleMatch = { sql: { dialect: 'PostgreSQL', argument: 'sql', statements: ['Delete'] } };
const call: SpokenFor = { exchange: callIn('a'), approval: undefined };
const approved: SpokenFor = { exchange: callIn('a'), approval: 'apr-1' };

async function refusal(rules: Rule[], sql: string, of: SpokenFor | undefined): Promise<string | undefined> {
  return refusalOf((await compileStatementGuard(rules)).judge(sql, of), of);
}

test('what a rule holds is refused, and runs for a call that was approved', async () => {
  const rules = [rule('deletes', deletes)];
  expect(await refusal(rules, 'SELECT 1', call)).toBeUndefined();
  expect(await refusal(rules, 'DELETE FROM t', call)).toBe(
    'Rule tools/deletes asks for approval of this statement: it was parsed as Delete on t. A statement cannot wait; the call that it is said for has to be approved.',
  );
  expect(await refusal(rules, 'DELETE FROM t', approved)).toBeUndefined();
  expect(await refusal(rules, 'DELETE FROM t', undefined)).toContain('tools/deletes');
});

test('what a rule denies is refused, approved or not', async () => {
  const rules = [rule('a', deletes), rule('b', deletes, 'Deny')];
  for (const of of [call, approved, undefined]) {
    expect(await refusal(rules, 'WITH d AS (DELETE FROM t RETURNING 1) SELECT 1', of)).toContain(
      'tools/b denies this statement',
    );
  }
});

test('rules of other tools do not speak, but where nobody knows the tool all do', async () => {
  const rules = [rule('other', { ...deletes, tools: ['other*'] }, 'Deny')];
  expect(await refusal(rules, 'DELETE FROM t', call)).toBeUndefined();
  expect(await refusal(rules, 'DELETE FROM t', undefined)).toContain('tools/other');
  expect(
    await refusal([rule('mine', { ...deletes, tools: ['query'] }, 'Deny')], 'DELETE FROM t', call),
  ).toContain('mine');
});

test('conditions are of the call, and where there is none they might hold', async () => {
  const rules = [rule('only-b', { ...deletes, when: "session.id == 'b'" }, 'Deny')];
  expect(await refusal(rules, 'DELETE FROM t', call)).toBeUndefined();
  expect(await refusal(rules, 'DELETE FROM t', { exchange: callIn('b'), approval: undefined })).toContain(
    'only-b',
  );
  expect(await refusal(rules, 'DELETE FROM t', undefined)).toContain('only-b');
});

test('the risk is that of the statement', async () => {
  const rules = [rule('risky', { ...deletes, riskAtLeast: 70 }, 'Deny')];
  expect(await refusal(rules, 'DELETE FROM t WHERE id = 1', call)).toBeUndefined();
  expect(await refusal(rules, 'DELETE FROM t', call)).toContain('risky');
});

test('what cannot be parsed is refused where a rule had to understand it', async () => {
  expect(await refusal([rule('deletes', deletes)], 'DELETE FRM t', call)).toContain('cannot be understood');
  expect(await refusal([], 'DELETE FRM t', call)).toBeUndefined();
});

test('rules that look at no SQL of PostgreSQL, or only watch, do not judge', async () => {
  const guard = await compileStatementGuard([
    rule('tool', { tools: ['*'] }, 'Deny'),
    rule('mysql', { sql: { dialect: 'MySQL', argument: 'sql', statements: [] } }, 'Deny'),
    rule('watch', deletes, 'Audit'),
  ]);
  expect(guard.judges).toBe(false);
  expect(guard.judge('DELETE FROM t', call).decision).toBe('allow');
});
