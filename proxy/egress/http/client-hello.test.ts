import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listen } from '../../../lib/listen.ts';
import { readClientHello } from './client-hello.ts';

/** What a real client sends first. */
async function helloOf(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  const server = createServer();
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const connected = once(server, 'connection');
  const client = connect({ host: '127.0.0.1', port, ...options });
  client.on('error', () => undefined);
  const [socket] = (await connected) as [Socket];
  const [first] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return first;
}

const hello = await helloOf({ servername: 'api.example.test', ALPNProtocols: ['h2', 'http/1.1'] });

test('the name and the protocols are read, however the bytes come', () => {
  for (let size = 1; size < hello.length; size += 1)
    expect(readClientHello(hello.subarray(0, size))).toEqual({ kind: 'partial' });
  const read = { kind: 'hello', serverName: 'api.example.test', protocols: ['h2', 'http/1.1'] };
  expect(readClientHello(hello)).toEqual(read);
  expect(readClientHello(Buffer.concat([hello, Buffer.from('more')]))).toEqual(read);
});

test('a message that is spread over records is put together', () => {
  const message = hello.subarray(5);
  const records = [message.subarray(0, 3), message.subarray(3, 50), message.subarray(50)].map((part) => {
    const head = Buffer.from([22, 3, 1, 0, 0]);
    head.writeUInt16BE(part.length, 3);
    return Buffer.concat([head, part]);
  });
  expect(readClientHello(Buffer.concat(records))).toMatchObject({ serverName: 'api.example.test' });
});

test('without a name there is none', async () => {
  expect(readClientHello(await helloOf({}))).toEqual({ kind: 'hello', serverName: undefined, protocols: [] });
});

test('a name that stands there twice is believed by nobody', () => {
  const at = hello.indexOf(Buffer.from('0010', 'hex').length === 0 ? '' : 'api.example.test') - 9;
  const extension = hello.subarray(at, at + 9 + 'api.example.test'.length);
  const doubled = Buffer.concat([hello, extension]);
  const grow = (offset: number, size: number): void => {
    doubled.writeUIntBE(doubled.readUIntBE(offset, size) + extension.length, offset, size);
  };
  grow(3, 2);
  grow(6, 3);
  // The length of all extensions: behind version, random, session id, ciphers and compression.
  const ciphers = 5 + 4 + 34 + 1 + (hello[5 + 4 + 34] ?? 0);
  grow(ciphers + 2 + hello.readUInt16BE(ciphers) + 2, 2);
  expect(readClientHello(doubled)).toEqual({ kind: 'malformed' });
});

test('nothing that anybody sends makes it throw or wait for ever', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      readClientHello(Buffer.from(bytes));
      readClientHello(Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]), Buffer.from(bytes)]));
    }),
  );
  fc.assert(
    fc.property(fc.nat(hello.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const broken = Buffer.from(hello);
      broken[at] = value;
      readClientHello(broken);
    }),
  );
});
