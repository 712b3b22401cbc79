import { expect, test } from 'vitest';
import { GatehouseError } from './errors.ts';
import { createLogger } from './log.ts';

class Failed extends GatehouseError {
  readonly code = 'failed';
}

function logged(
  write: (log: ReturnType<typeof createLogger>) => void,
): Record<string, unknown> & { text: string } {
  const lines: string[] = [];
  write(createLogger({ name: 'proxy', level: 'info' }, { write: (line) => lines.push(line) }));
  const text = lines.join('');
  return { ...(JSON.parse(text || '{}') as Record<string, unknown>), text };
}

test('a line is one JSON object that says who, when and how bad', () => {
  const line = logged((log) => log.child({ gateway: 'tools/orders' }).warn('careful'));
  expect(line).toMatchObject({ level: 'warn', name: 'proxy', gateway: 'tools/orders', msg: 'careful' });
  expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  expect(logged((log) => log.debug('quiet')).text).toBe('');
});

test('an error is its code and its sentences, without a stack', () => {
  const err = new Failed('It failed.', { cause: new Error('The disk is full.') });
  const line = logged((log) => log.error({ err }, 'x'));
  expect(line['err']).toEqual({
    type: 'Failed',
    code: 'failed',
    message: 'It failed.',
    cause: { type: 'Error', message: 'The disk is full.' },
  });
  expect(line.text).not.toContain('log.test.ts');
});

test('what slips in is caught: by its key, or by looking like a token', () => {
  const jwt = ['eyJ' + 'hbGciOiJFUzI1NiJ9', 'eyJzdWIiOiJ4In0', 'c2lnbmF0dXJl'].join('.');
  const secret = 'hunter' + '22222';
  for (const write of [
    (log: ReturnType<typeof createLogger>) => log.info({ authorization: secret }, 'x'),
    (log: ReturnType<typeof createLogger>) => log.info({ headers: { cookie: secret } }, 'x'),
    (log: ReturnType<typeof createLogger>) => log.info(`sent Bearer ${secret} along`),
    (log: ReturnType<typeof createLogger>) => log.error({ err: new Error(`refused ${jwt}`) }, 'x'),
  ]) {
    const { text } = logged(write);
    expect(text).toContain('[redacted]');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(jwt);
  }
});
