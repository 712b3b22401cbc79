/** The client for the benchmark of egress: small calls one after the other, and 100 MB, directly or through a proxy. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { median } from './figures.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
    proxy: { type: 'string' },
    ca: { type: 'string', default: '' },
    protocol: { type: 'string', default: 'http/1.1' },
    token: { type: 'string', default: '' },
  },
});
const SMALL_CALLS = 400;
const headers = { authorization: `Bearer ${values.token}` };
const WINDOW = 4 * 1024 * 1024;

async function tunnel(proxy: string): Promise<Socket> {
  const asking = request({
    host: '127.0.0.1',
    port: proxy,
    method: 'CONNECT',
    path: `${values.host}:443`,
  }).end();
  const [, socket] = (await once(asking, 'connect')) as [IncomingMessage, Socket];
  return socket;
}

async function open(): Promise<TLSSocket> {
  const to =
    values.proxy === undefined
      ? { host: '127.0.0.1', port: Number(values.port) }
      : { socket: await tunnel(values.proxy) };
  const secure = connect({
    ...to,
    servername: values.host,
    ca: readFileSync(values.ca),
    ALPNProtocols: [values.protocol],
  });
  await once(secure, 'secureConnect');
  return secure;
}

async function sizeOf(body: Readable): Promise<number> {
  let size = 0;
  body.on('data', (chunk: Buffer) => (size += chunk.length));
  await once(body, 'end');
  return size;
}

async function caller(): Promise<{ get: (path: string) => Promise<number>; close: () => void }> {
  const secure = await open();
  if (values.protocol === 'h2') {
    const session = connectHttp2(`https://${values.host}`, {
      createConnection: () => secure,
      settings: { initialWindowSize: WINDOW },
    });
    session.once('connect', () => session.setLocalWindowSize(WINDOW));
    return {
      get: (path) => sizeOf(session.request({ ':path': path, ...headers })),
      close: () => session.destroy(),
    };
  }
  return {
    get: async (path) => {
      const outgoing = request({
        createConnection: () => secure,
        headers: { host: values.host, connection: 'keep-alive', ...headers },
        path,
      }).end();
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      return sizeOf(response);
    },
    close: () => secure.destroy(),
  };
}

const { get, close } = await caller();
const times: number[] = [];
for (let call = 0; call < SMALL_CALLS; call += 1) {
  const start = performance.now();
  await get('/small');
  times.push(performance.now() - start);
}
await get('/large');
const start = performance.now();
const bytes = await get('/large');
const mbPerSecond = bytes / 2 ** 20 / ((performance.now() - start) / 1000);
console.log(JSON.stringify({ smallMs: median(times.slice(SMALL_CALLS / 4)), mbPerSecond }));
close();
