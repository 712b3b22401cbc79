/**
 * What the proxy is measured against: `relay.ts http URL` is node:http alone, with keep-alive; `relay.ts http-proxy URL`
 * is the package as it comes, a connection a request; `relay.ts http-proxy-keep-alive URL` gives it an agent.
 */
import { Agent, createServer, request, type RequestListener } from 'node:http';
import httpProxy from 'http-proxy';
import { portOf } from '../fixtures/mcp/listen.ts';

const [kind = 'http', upstream = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function bareRelay(): RequestListener {
  return (req, res) => {
    const onward = request(upstream, { method: req.method, headers: req.headers, agent }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.once('error', () => res.destroy());
    req.pipe(onward);
  };
}

function packagedRelay(options: httpProxy.ServerOptions): RequestListener {
  const proxy = httpProxy.createProxyServer({ target: new URL(upstream).origin, ...options });
  proxy.on('error', (_error, _req, res) => res.destroy());
  return (req, res) => proxy.web(req, res);
}

const relays: Readonly<Record<string, () => RequestListener>> = {
  http: bareRelay,
  'http-proxy': () => packagedRelay({}),
  'http-proxy-keep-alive': () => packagedRelay({ agent }),
};
const relay = relays[kind];
if (relay === undefined) throw new Error(`There is no relay "${kind}".`);
const server = createServer(relay());
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${portOf(server)}${new URL(upstream).pathname}`),
);
process.once('SIGTERM', () => process.exit(0));
