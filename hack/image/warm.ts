/** What V8 compiled, beside the program: a process of the image reads it instead of compiling again. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { issueAuthority } from '../../lib/certificates.ts';
import { parseManifests } from '../../crds/index.ts';
import { compile, NO_FLOORS } from '../../operator/compile/index.ts';
import { snapshotOf } from '../../operator/source/snapshot.ts';

/** Beside the program; the Dockerfile names it too. */
const CACHE = 'cache';
const READY_MS = 120_000;
const NOWHERE = 'https://127.0.0.1:9';

/** Every engine that a sidecar may need to be ready, and no secret. */
const POLICY = `
apiVersion: gatehouse.dev/v1alpha1
kind: McpGateway
metadata: { name: warm }
spec:
  server: { url: "http://127.0.0.1:9/mcp" }
  publicUrl: http://127.0.0.1:9/mcp
  identity: [{ name: staff, oidc: { issuer: "http://127.0.0.1:9" } }]
  access: [{ groups: [a], tools: ["*"], when: "request.arguments.limit <= 100" }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: MaskingPolicy
metadata: { name: warm }
spec:
  targetRefs: [{ kind: McpGateway, name: warm }]
  detectors: [{ preset: Credentials }, { preset: PaymentCards }, { preset: PersonalData }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: ApprovalRule
metadata: { name: warm }
spec:
  targetRefs: [{ kind: McpGateway, name: warm }]
  match: { preset: DestructiveSQL, sql: { dialect: PostgreSQL, argument: sql } }
  approvers: { groups: [b] }
`;

/** Runs what starts with each pod once, on the Node that runs this file; `uids` are who will read what it leaves. */
export async function warm(program: string, uids: readonly number[]): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-warm-'));
  try {
    const main = join(program, 'main.mjs');
    const env = { NODE_COMPILE_CACHE: join(program, CACHE), NODE_COMPILE_CACHE_PORTABLE: '1' };
    await run(main, ['net-init', '--server-port', '8080', '--dns', '10.96.0.10', '--print'], env);
    await runProxyUntilReady(main, { ...env, ...proxyEnvironment(scratch) });
    handOver(join(program, CACHE), uids);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Node keeps what it compiled for each user apart, and for the eyes of that user alone. */
function handOver(cache: string, [first, ...others]: readonly number[]): void {
  for (const name of readdirSync(cache)) {
    const nameFor = (uid: number | undefined): string => name.replace(/-\d+$/, `-${String(uid)}`);
    renameSync(join(cache, name), join(cache, nameFor(first)));
    chmodSync(join(cache, nameFor(first)), 0o755);
    for (const file of readdirSync(join(cache, nameFor(first))))
      chmodSync(join(cache, nameFor(first), file), 0o444);
    for (const uid of others) symlinkSync(nameFor(first), join(cache, nameFor(uid)));
  }
}

/** It finds no operator, so it goes by the policies that it kept. */
function proxyEnvironment(scratch: string): Record<string, string> {
  const state = join(scratch, 'state');
  mkdirSync(state);
  const { objects } = parseManifests([{ path: 'warm.yaml', text: POLICY }]);
  const key = Buffer.alloc(32).toString('base64');
  const { bundles } = compile(snapshotOf(objects), {
    ...{ namespace: 'none', baseDir: '/', floors: NO_FLOORS, hashKey: key },
    sealingKeys: () => [{ id: 'none', key }],
    knownTools: () => [],
  });
  writeFileSync(join(state, 'bundles.json'), JSON.stringify(bundles));
  writeFileSync(join(scratch, 'token'), 'none');
  return {
    GATEHOUSE_LISTEN: '127.0.0.1:0',
    GATEHOUSE_METRICS_LISTEN: '127.0.0.1:0',
    GATEHOUSE_CONTROL_URL: NOWHERE,
    GATEHOUSE_RECORDER_URL: NOWHERE,
    GATEHOUSE_CA: issueAuthority('none', { now: Date.now(), days: 1 }).cert,
    GATEHOUSE_TOKEN_FILE: join(scratch, 'token'),
    GATEHOUSE_STATE_DIR: state,
  };
}

async function runProxyUntilReady(main: string, env: Readonly<Record<string, string>>): Promise<void> {
  const child = start(main, ['proxy'], env);
  const gone = once(child, 'exit');
  const ready = (async () => {
    let said = '';
    for await (const text of child.stdout) {
      said += String(text);
      if (said.includes('"ready":true')) return;
    }
    throw new Error('The bundled proxy ended before it was ready.');
  })();
  const late = delay(READY_MS, undefined, { ref: false }).then(() => {
    throw new Error('The bundled proxy did not become ready.');
  });
  try {
    await Promise.race([ready, late]);
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
}

async function run(
  main: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = start(main, args, env);
  child.stdout.resume();
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`The bundled gatehouse ${args[0] ?? ''} ended with ${String(code)}.`);
}

function start(
  main: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, [...nodeFlags(), main, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** As the image runs it: what was compiled under other flags is not believed. */
function nodeFlags(): readonly string[] {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
  const [, entry = '[]'] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
  return z.array(z.string()).min(2).parse(JSON.parse(entry)).slice(1, -1);
}
