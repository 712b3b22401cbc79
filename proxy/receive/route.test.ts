import { expect, test } from 'vitest';
import { authoritiesOf, checkOrigin } from './origin.ts';
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

const allowed = authoritiesOf({ host: '127.0.0.1', port: 8400 }, 'https://orders.example/mcp');
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
] as const)('%j %s', ([headers, outcome]) => {
  const run = () => {
    checkOrigin(headers, allowed);
    return 'passes';
  };
  if (outcome === 'passes') expect(run()).toBe('passes');
  else expect(run).toThrow(expect.objectContaining({ code: outcome, status: 403 }));
});
