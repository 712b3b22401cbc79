/**
 * What lies outside of the pod: TLS servers that remember who called them, and a resolver. Started in a network
 * namespace with one argument, an Outside as JSON; what was seen is asked for at 127.0.0.1:9999.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer, type Http2ServerRequest } from 'node:http2';
import { z } from 'zod';
import { startDns } from '../fixtures/dns-server.ts';

const server = z.object({
  /** What it is called in what was seen. */
  name: z.string(),
  host: z.string(),
  port: z.number(),
  certFile: z.string(),
  keyFile: z.string(),
});
const outside = z.object({
  servers: z.array(server),
  /** Resolvers by the address at which they answer. */
  resolvers: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
});
export type Outside = z.infer<typeof outside>;

/** A connection, or a request on one. */
export const seen = z.object({
  server: z.string(),
  request: z
    .object({ host: z.string(), path: z.string(), authorization: z.string(), version: z.string() })
    .optional(),
});
export type Seen = z.infer<typeof seen>;

export const ASK = { host: '127.0.0.1', port: 9999 } as const;

async function main(given: string): Promise<void> {
  const { servers, resolvers } = outside.parse(JSON.parse(given));
  const all: Seen[] = [];
  const opened = servers.map(async ({ name, host, port, certFile, keyFile }) => {
    const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile), allowHTTP1: true };
    const listening = createSecureServer(tls, (request, response) => {
      all.push({ server: name, request: requestOf(request) });
      response.setHeader('content-type', 'text/plain');
      response.end(`${name} heard ${request.headers.authorization ?? 'no token'}`);
    });
    listening.on('connection', () => all.push({ server: name }));
    await new Promise<void>((done) => listening.listen({ host, port, ipv6Only: host.includes(':') }, done));
  });
  await Promise.all(opened);
  for (const [address, names] of Object.entries(resolvers)) await startDns(names, address, 53);
  createServer((_, response) => response.end(JSON.stringify(all.splice(0)))).listen(ASK.port, ASK.host, () =>
    console.log('ready'),
  );
}

function requestOf({ headers, url, httpVersion }: Http2ServerRequest): NonNullable<Seen['request']> {
  return {
    host: headers[':authority'] ?? headers.host ?? '',
    path: url,
    authorization: headers.authorization ?? 'none',
    version: httpVersion,
  };
}

const [, program, argument] = process.argv;
if (program === import.meta.filename && argument !== undefined) await main(argument);
