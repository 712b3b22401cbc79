import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { crashLine } from './crash.ts';
import { GatehouseError } from './errors.ts';

class Failed extends GatehouseError {
  readonly code = 'failed';
}

const time = new Date('2026-01-01T00:00:00Z');
const lineOf = (thrown: unknown): { text: string; err: Record<string, unknown> } => {
  const text = crashLine(thrown, time);
  expect(text.indexOf('\n')).toBe(text.length - 1);
  return { text, ...(JSON.parse(text) as { err: Record<string, unknown> }) };
};

test('an error of our own is told with its sentence, and any with where it was thrown', () => {
  const { err } = lineOf(new Failed('It failed.'));
  expect(err).toMatchObject({ type: 'Failed', code: 'failed', message: 'It failed.' });
  expect(String(err['at'])).toContain('crash.test.ts');
});

test('nothing that an error carries is shown: not its words, its properties, its cause', () => {
  const secret = randomBytes(12).toString('hex');
  const error = new TypeError(`bad ${secret}\n    at ${secret}`, { cause: new Error(secret) });
  Object.assign(error, { code: 'ERR_BAD', headers: { authorization: secret } });
  const { text, err } = lineOf(error);
  expect(err).toMatchObject({ type: 'TypeError', code: 'ERR_BAD' });
  expect(String(err['at'])).toContain('crash.test.ts');
  expect(text).not.toContain(secret);
  expect(lineOf(secret).text).not.toContain(secret);
  // Whatever was done to it since.
  const changed = new Error(`a\n    at ${secret}`);
  changed.message = 'b';
  expect(lineOf(changed).text).not.toContain(secret);
  const bare = new Error('x');
  delete bare.stack;
  expect(lineOf(bare).err['at']).toEqual([]);
});
