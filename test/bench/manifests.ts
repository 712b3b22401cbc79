/** Everything on: token, access, a rule on parsed SQL, masking with every preset, and recording. */
import type { Manifest } from '../fixtures/gatehouse.ts';

const targetRefs = [{ kind: 'McpGateway', name: 'bench' }];

export function everythingOn(upstream: string, issuer: string): (url: string) => readonly Manifest[] {
  return (publicUrl) => [
    {
      kind: 'McpGateway',
      metadata: { name: 'bench' },
      spec: {
        server: { url: upstream },
        publicUrl,
        identity: [{ name: 'staff', oidc: { issuer } }],
        access: [{ groups: ['support'], tools: ['query', 'get_*'] }],
        limits: { callsPerMinute: 1_000_000 },
        sidecar: { logLevel: 'warn' },
      },
    },
    {
      kind: 'MaskingPolicy',
      metadata: { name: 'no-secrets' },
      spec: {
        targetRefs,
        detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
        fields: [{ keys: ['api_key', 'token', 'password'] }],
      },
    },
    {
      kind: 'ApprovalRule',
      metadata: { name: 'no-writes' },
      spec: {
        targetRefs,
        match: {
          tools: ['query'],
          preset: 'DestructiveSQL',
          sql: { dialect: 'PostgreSQL', argument: 'sql' },
        },
        approvers: { groups: ['dba'] },
      },
    },
  ];
}
