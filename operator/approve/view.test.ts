import fc from 'fast-check';
import { expect, test } from 'vitest';
import { demand, rule } from '../../test/fixtures/approval.ts';
import { opened } from './life.ts';
import type { ApprovalRequest } from './object.ts';
import { callLines, factsOf } from './view.ts';

function requestOf(preview: string, change: Partial<(typeof demand)['call']> = {}): ApprovalRequest {
  const call = { ...demand.call, preview, ...change };
  const fresh = opened({ ...demand, call }, rule, { id: 'orders-x', now: 0 });
  return { ...fresh, metadata: { ...fresh.metadata, resourceVersion: '1' } };
}

test('each argument is a line of its own, a text of many lines too, and numbers keep their digits', () => {
  const preview =
    '{"sql":"DELETE FROM orders\\nWHERE id = 7","limit":9007199254740993,"dry":false,"in":{"a":[1]}}';
  expect(callLines(requestOf(preview))).toEqual([
    '@@ query at tools/orders @@',
    '+ sql: DELETE FROM orders',
    '+   WHERE id = 7',
    '+ limit: 9007199254740993',
    '+ dry: false',
    '+ in: {"a":[1]}',
  ]);
});

test.each([
  ['', []],
  ['{"sql":"DELETE FRO…', ['+ {"sql":"DELETE FRO…']],
  ['[the arguments are not shown: too deep]', ['+ [the arguments are not shown: too deep]']],
  ['{}', ['+ {}']],
])('a preview that is no whole object is shown as it stands: %s', (preview, lines) => {
  expect(callLines(requestOf(preview)).slice(1)).toEqual(lines);
});

test('whatever a caller writes, it stays on its line and moves nothing on a screen', () => {
  const hostile = fc.string({ unit: 'grapheme' }).map((text) => `${text}\u001b[2J\u202e\u2028\r`);
  fc.assert(
    fc.property(hostile, hostile, hostile, (sql, tool, key) => {
      const request = requestOf(JSON.stringify({ [key]: sql }), { tool });
      const lines = [...callLines(request), ...factsOf(request).map(({ value }) => value)];
      for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      for (const line of callLines(request).slice(1)) expect(line.startsWith('+ ')).toBe(true);
    }),
  );
});
