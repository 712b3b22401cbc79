import { connect, createServer, Server } from 'node:net';
import { once } from 'node:events';
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

test('[::] is reached over both families', async () => {
  const server = createServer((socket) => socket.end());
  const { port } = await listen(server, { host: '::', port: 0 });
  try {
    for (const host of ['127.0.0.1', '::1']) await once(connect(port, host).resume(), 'end');
  } finally {
    server.close();
  }
});

/** Node on a kernel without IPv6. */
class OnlyIPv4 extends Server {
  override listen(...args: unknown[]): this {
    const [port, host] = args;
    if (host !== '::') return super.listen(Number(port), String(host));
    const refusal = Object.assign(new Error('listen EAFNOSUPPORT'), { code: 'EAFNOSUPPORT' });
    setImmediate(() => this.emit('error', refusal));
    return this;
  }
}

test('[::] means every IPv4 address where there is no IPv6', async () => {
  const server = new OnlyIPv4((socket) => socket.end());
  const at = await listen(server, { host: '::', port: 0 });
  try {
    expect(at.host).toBe('0.0.0.0');
    await once(connect(at.port, '127.0.0.1').resume(), 'end');
  } finally {
    server.close();
  }
});
