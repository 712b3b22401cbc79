/** The outside for the benchmark of egress: over HTTP/1.1 and HTTP/2, `/small` answers 1 KB and anything else 100 MB. */
import { createServer } from 'node:https';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { listen } from '../../lib/listen.ts';

const identity = z.object({ cert: z.string(), key: z.string() }).parse(JSON.parse(await text(process.stdin)));
const SMALL = Buffer.alloc(1024, 'a');
const PIECE = Buffer.alloc(65_536, 'a');
const PIECES = 1_600;
const WINDOW = 4 * 1024 * 1024;

async function send(out: Writable, path: string | undefined): Promise<void> {
  if (path === '/small') {
    out.end(SMALL);
    return;
  }
  for (let sent = 0; sent < PIECES; sent += 1) {
    if (!out.write(PIECE)) await new Promise((resolve) => out.once('drain', resolve));
  }
  out.end();
}

const http1 = createServer(identity, (request, response) => void send(response, request.url));
const http2 = createSecureServer({ ...identity, settings: { initialWindowSize: WINDOW } });
http2.on('session', (session) => session.setLocalWindowSize(WINDOW));
http2.on('stream', (stream: ServerHttp2Stream, headers) => {
  stream.respond({ ':status': 200 });
  void send(stream, headers[':path']);
});
const ports = await Promise.all(
  [http1, http2].map((server) => listen(server, { host: '127.0.0.1', port: 0 })),
);
console.log(JSON.stringify(ports.map(({ port }) => port)));
