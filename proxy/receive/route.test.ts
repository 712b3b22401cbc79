import { expect, test } from 'vitest';
import { authoritiesOf, checkOrigin, type Authorities } from './origin.ts';
import { createRouter } from './route.ts';

const orders = {
  gateway: 'orders',
  name: 'tools/orders',
  path: '/mcp',
  publicPath: '/public/mcp',
  passthrough: [{ path: '/files', methods: ['GET'] }],
};
const wiki = { gateway: 'wiki', name: 'tools/wiki', path: '/mcp', publicPath: undefined, passthrough: [] };

test.for([
  ['/mcp', 'mcp'],
  ['/tools/orders/mcp', 'mcp'],
  ['/tools/orders', 'mcp'],
  ['/files', 'passthrough'],
  ['/tools/orders/files', 'passthrough'],
  ['/.well-known/oauth-protected-resource/mcp', 'metadata'],
  ['/.well-known/oauth-protected-resource', 'metadata'],
  ['/.well-known/oauth-protected-resource/public/mcp', 'metadata'],
  ['/.well-known/oauth-protected-resource/tools/orders/mcp', 'metadata'],
  ['/', 'none'],
  ['/mcp/', 'none'],
  ['/MCP', 'none'],
  ['/mcp/../files', 'none'],
  ['/files/secret', 'none'],
  ['/metrics', 'none'],
  ['/tools/wiki/mcp', 'none'],
] as const)('the only gateway: %s is %s', ([path, kind]) => {
  expect(createRouter([orders])(path)).toMatchObject({ kind });
});

test.for([
  ['/mcp', 'none', undefined],
  ['/tools/orders/mcp', 'mcp', 'orders'],
  ['/tools/wiki/mcp', 'mcp', 'wiki'],
  ['/tools/wiki/files', 'none', undefined],
  ['/.well-known/oauth-protected-resource/tools/wiki/mcp', 'metadata', 'wiki'],
] as const)('one of several: %s is %s', ([path, kind, gateway]) => {
  const route = createRouter([orders, wiki])(path);
  expect(route).toMatchObject(gateway === undefined ? { kind } : { kind, gateway });
});

const publicUrl = 'https://orders.example/mcp';
const allowed = authoritiesOf({ host: '127.0.0.1', port: 8400 }, { publicUrl });
const inPod = authoritiesOf(
  { host: '::', port: 15_000 },
  { publicUrl, hosts: ['orders', 'orders.tools:80'] },
);
test.for([
  [{ host: '127.0.0.1:8400' }, 'passes'],
  [{ host: 'localhost:8400', origin: 'http://localhost:8400' }, 'passes'],
  [{ host: 'orders.example', origin: 'https://orders.example' }, 'passes'],
  [{}, 'bad_host'],
  [{ host: 'evil.example' }, 'bad_host'],
  [{ host: '127.0.0.1:9999' }, 'bad_host'],
  [{ host: '127.0.0.1:8400', origin: 'http://evil.example' }, 'bad_origin'],
  [{ host: '127.0.0.1:8400', origin: 'null' }, 'bad_origin'],
  [{ host: '127.0.0.1:8400', origin: 'http://127.0.0.1:8400.evil.example' }, 'bad_origin'],
  [{ host: '127.0.0.1:9999', localAddress: '127.0.0.1' }, 'bad_host'],
] as const)('on one address %j %s', ([request, outcome]) => expectOutcome(request, allowed, outcome));

const podIp = { localAddress: '::ffff:10.1.2.3' };
test.for([
  [{ host: 'orders' }, 'passes'],
  [{ host: 'Orders.Tools:80' }, 'passes'],
  [{ host: 'orders.tools:81' }, 'bad_host'],
  [{ host: 'orders.example' }, 'passes'],
  [{ host: '10.1.2.3:8080', ...podIp }, 'passes'],
  [{ host: '10.1.2.3', ...podIp }, 'passes'],
  [{ host: '10.1.2.4:8080', ...podIp }, 'bad_host'],
  [{ host: '10.1.2.3:8080' }, 'bad_host'],
  [{ host: '10.1.2.3.evil.example', ...podIp }, 'bad_host'],
  [{ host: 'evil.example:8080', ...podIp }, 'bad_host'],
  [{ host: '10.1.2.3:8080@evil.example', ...podIp }, 'bad_host'],
  [{ host: '[FD00:0::5]:8080', localAddress: 'fd00::5' }, 'passes'],
  [{ host: '[fd00::6]:8080', localAddress: 'fd00::5' }, 'bad_host'],
  [{ host: 'localhost:9999', localAddress: '127.0.0.1' }, 'passes'],
  [{ host: 'localhost:9999', localAddress: '::1' }, 'passes'],
  [{ host: 'localhost:9999', ...podIp }, 'bad_host'],
  [{ host: '127.0.0.1:9999', localAddress: '::ffff:127.0.0.1' }, 'passes'],
  [{ host: '10.1.2.3:8080', origin: 'http://10.1.2.3:8080', ...podIp }, 'bad_origin'],
  [{ host: '10.1.2.3:8080', origin: 'http://evil.example', ...podIp }, 'bad_origin'],
] as const)('on all addresses %j %s', ([request, outcome]) => expectOutcome(request, inPod, outcome));

function expectOutcome(
  request: Parameters<typeof checkOrigin>[0],
  authorities: Authorities,
  outcome: string,
): void {
  const run = () => {
    checkOrigin(request, authorities);
    return 'passes';
  };
  if (outcome === 'passes') expect(run()).toBe('passes');
  else expect(run).toThrow(expect.objectContaining({ code: outcome, status: 403 }));
}
