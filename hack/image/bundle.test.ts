import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ToWorker } from '../../proxy/engine/masking/protocol.ts';
import { bundle } from './bundle.ts';

const GATEWAY = `
apiVersion: gatehouse.dev/v1alpha1
kind: McpGateway
metadata: { name: orders, namespace: tools }
spec:
  server: { url: http://127.0.0.1:9/mcp }
  publicUrl: https://orders.example/mcp
  identity: [{ name: staff, oidc: { issuer: https://login.example, audiences: [https://orders.example/mcp] } }]
  access: [{ authenticated: true, tools: [query] }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: ApprovalRule
metadata: { name: no-changes, namespace: tools }
spec:
  targetRefs: [{ kind: McpGateway, name: orders }]
  match: { tools: [query], sql: { dialect: PostgreSQL, argument: sql, statements: [Delete] } }
  effect: Deny
`;

describe('the bundle', () => {
  let directory: string;
  const main = (): string => join(directory, 'bundle/main.mjs');

  beforeAll(async () => {
    // Away from the checkout, where no node_modules can help it.
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-bundle-test-'));
    await bundle(join(directory, 'bundle'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const gatehouse = (args: readonly string[], input = ''): string =>
    execFileSync(process.execPath, [main(), ...args], { cwd: directory, input, encoding: 'utf8' });

  it('runs every verb on its own', () => {
    for (const verb of ['proxy', 'recorder', 'approvals', 'sessions'])
      expect(gatehouse([verb, '--help'])).toContain(`gatehouse ${verb}`);
  });

  it('finds the PostgreSQL grammar beside itself', () => {
    mkdirSync(join(directory, 'manifests'));
    writeFileSync(join(directory, 'manifests/orders.yaml'), GATEWAY);
    writeFileSync(join(directory, 'alice.json'), JSON.stringify({ subject: 'alice', groups: [] }));
    const call = (id: number, sql: string): string =>
      JSON.stringify({
        message: { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'query', arguments: { sql } } },
      });
    const input = [
      call(1, 'SELECT 1'),
      call(2, 'WITH gone AS (DELETE FROM orders RETURNING 1) SELECT 1'),
    ].join('\n');
    const out = gatehouse(['try', '-f', 'manifests', '--identity', 'alice.json'], `${input}\n`);
    const decisions = out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(decisions).toMatchObject([{ decision: 'allow' }, { decision: 'deny' }]);
  });

  it('masks large messages in a thread, whose file lies beside it', async () => {
    const worker = new Worker(join(directory, 'bundle/masking-worker.mjs'));
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: 'held-by-nobody' } });
    const tellings: ToWorker[] = [
      { kind: 'known', updates: [{ owner: 'a', values: ['held-by-nobody'], at: 0 }] },
      { kind: 'policies', policies: { masking: [], hashKey: new Uint8Array(32) } },
      {
        kind: 'job',
        at: 0,
        job: { kind: 'message', text, about: { purpose: 'release', tails: undefined } },
      },
    ];
    for (const told of tellings) worker.postMessage(told);
    const [answer] = (await once(worker, 'message')) as unknown[];
    expect(answer).toMatchObject({ outcome: { masked: [{ detector: 'known-secret' }] } });
    await worker.terminate();
  });
});
