import { expect, test } from 'vitest';
import { UNPARSABLE } from '../engine/sql/classify.ts';
import { remembering } from './remember.ts';

test('a statement is read once, in each dialect, and long ones each time', () => {
  const read: string[] = [];
  const classify = remembering((text, dialect) => {
    read.push(`${dialect} ${text.slice(0, 8)}`);
    return UNPARSABLE;
  });
  const long = 'x'.repeat(3_000);
  for (const text of ['SELECT 1', 'SELECT 1', 'SELECT 2', long, long]) classify(text, 'PostgreSQL');
  classify('SELECT 1', 'MySQL');
  expect(read).toEqual([
    'PostgreSQL SELECT 1',
    'PostgreSQL SELECT 2',
    'PostgreSQL xxxxxxxx',
    'PostgreSQL xxxxxxxx',
    'MySQL SELECT 1',
  ]);
});
