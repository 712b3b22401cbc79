import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { formatAddress, listen, parseAddress } from './listen.ts';

test.each([
  ['127.0.0.1:8400', '127.0.0.1', 8400],
  ['localhost:0', 'localhost', 0],
  ['[::1]:65535', '::1', 65_535],
])('%s is an address, there and back', (text, host, port) => {
  expect(parseAddress(text, '--listen')).toEqual({ host, port });
  expect(formatAddress({ host, port })).toBe(text);
});

test.each(['', '8400', ':8400', 'host:', 'host:65536', '::1:8400', 'a b:1', 'http://host:1', 'host:1/x'])(
  '%j is none',
  (text) => {
    expect(() => parseAddress(text, '--listen')).toThrow(`--listen is "${text}", but must be HOST:PORT`);
  },
);

test('a listener says where it is, and why it cannot be', async () => {
  const first = createServer();
  const at = await listen(first, { host: '127.0.0.1', port: 0 });
  expect(at.port).toBeGreaterThan(0);
  try {
    await expect(listen(createServer(), at)).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${String(at.port)}: another process listens there already.`,
    );
    await expect(listen(createServer(), { host: '192.0.2.1', port: 0 })).rejects.toThrow('no such address');
  } finally {
    first.close();
  }
});
