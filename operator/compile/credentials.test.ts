/** What the proxy is told of credentials and of the server's own calls. */
import { expect, test } from 'vitest';
import { mcpGatewaySpec } from '../../crds/mcp-gateway.ts';
import type { McpGateway } from '#crds';
import { NotAccepted } from './conditions.ts';
import { compileCredentials, placeholderOf } from './credentials.ts';
import { NO_FLOORS, type Installation } from './installation.ts';

const installation: Installation = {
  knownTools: () => [],
  namespace: 'gatehouse-system',
  baseDir: '/manifests',
  hashKey: Buffer.alloc(32, 7).toString('base64'),
  sealingKeys: () => [],
  floors: NO_FLOORS,
  vault: { address: 'https://vault.example', auth: { kind: 'jwt', mount: 'jwt' } },
};

function gateway(credentials: readonly unknown[], more: Record<string, unknown> = {}): McpGateway {
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { namespace: 'tools', name: 'orders', labels: {} },
    spec: mcpGatewaySpec.parse({
      server: { url: 'http://127.0.0.1:9000/mcp' },
      identity: [{ name: 'anyone', anonymous: {} }],
      access: [],
      credentials,
      ...more,
    }),
  } as unknown as McpGateway;
}

const github = {
  name: 'github',
  source: { vault: { role: 'mcp', kv: { mount: 'kv', path: 'github', version: 3 } } },
  inject: {
    egress: {
      hosts: ['API.github.com', '*.example.org:8443'],
      header: { name: 'Authorization', value: 'Bearer {{ token }}' },
      placeholder: 'ghp_',
      env: 'GITHUB_TOKEN',
    },
  },
};
const database = {
  name: 'db',
  scope: 'Request',
  source: { vault: { role: 'mcp', dynamic: { mount: 'database', role: 'ro' } } },
  inject: { postgres: { listen: 5432, upstream: 'db.example:5433', database: 'orders' } },
};

test('hosts become lower-case names with a port, and the engine is apart from the role', () => {
  const compiled = compileCredentials(gateway([github, database]), installation);
  expect(compiled.credentials).toMatchObject([
    {
      source: { vault: { role: 'mcp', engine: { kv: { mount: 'kv', path: 'github', version: 3 } } } },
      inject: {
        egress: {
          hosts: [
            { host: 'api.github.com', port: 443 },
            { host: '*.example.org', port: 8443 },
          ],
          env: 'GITHUB_TOKEN',
        },
      },
    },
    {
      scope: 'Request',
      whenShared: 'Queue',
      inject: { postgres: { listen: 5432, upstream: { host: 'db.example', port: 5433 } } },
    },
  ]);
  expect(compiled.vault).toEqual(installation.vault);
});

test('calls to the outside pass by the proxy once a gateway speaks of them, and are denied by default', () => {
  expect(compileCredentials(gateway([github]), installation).egress).toEqual({ default: 'Deny', allow: [] });
  expect(compileCredentials(gateway([database]), installation).egress).toBeUndefined();
  expect(
    compileCredentials(
      gateway([], { egress: { default: 'Allow', allow: ['*.Example.org:443'] } }),
      installation,
    ).egress,
  ).toEqual({ default: 'Allow', allow: [{ host: '*.example.org', port: 443 }] });
});

test('without a Vault no gateway gets a credential from it', () => {
  const alone: Installation = { ...installation, vault: undefined };
  expect(() => compileCredentials(gateway([database]), alone)).toThrow(NotAccepted);
  expect(() => compileCredentials(gateway([database]), alone)).toThrow(
    'has a credential from Vault, and this installation names no Vault; give its address to the installation.',
  );
});

test('a placeholder is the same each time, begins as it should, and another one elsewhere', () => {
  const one = placeholderOf('tools/orders', 'github', 'ghp_', installation.hashKey);
  expect(one).toMatch(/^ghp_[0-9a-f]{32}$/);
  expect(placeholderOf('tools/orders', 'github', 'ghp_', installation.hashKey)).toBe(one);
  const others = [
    placeholderOf('tools/other', 'github', 'ghp_', installation.hashKey),
    placeholderOf('tools/orders', 'gitlab', 'ghp_', installation.hashKey),
    placeholderOf('tools/orders', 'github', 'ghp_', Buffer.alloc(32, 8).toString('base64')),
  ];
  expect(new Set([one, ...others]).size).toBe(4);
});

test('roots of the installation go to gateways that call somebody, and to no other', () => {
  const rooted = { ...installation, upstreamRoots: 'PEM' };
  const held = { name: 'k', inject: { server: { header: { name: 'X-K', value: '{{ k }}' } } } };
  const ofFile = { ...held, source: { devFile: { path: 'k.json' } } };
  const ofVault = { ...held, source: github.source };
  for (const calling of [
    gateway([github]),
    gateway([database]),
    gateway([ofVault]),
    gateway([], { egress: {} }),
  ])
    expect(compileCredentials(calling, rooted).upstreamRoots).toBe('PEM');
  for (const silent of [gateway([]), gateway([ofFile])])
    expect(compileCredentials(silent, rooted)).not.toHaveProperty('upstreamRoots');
  expect(compileCredentials(gateway([github]), installation)).not.toHaveProperty('upstreamRoots');
});
