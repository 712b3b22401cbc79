/** A whole installation as processes: how it starts, takes edits, survives and ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';

const CLI = resolve(import.meta.dirname, 'main.ts');
const READY = /^gatehouse is ready: (\S+) \(tools\/orders\); admin (\S+)\n$/;

interface Running {
  readonly process: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly code: Promise<number | null>;
}

interface Served extends Running {
  readonly mcp: string;
  readonly admin: string;
}

let directory: string;
const started: Running[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-standalone-'));
});

afterEach(async () => {
  for (const { process: child, code } of started.splice(0)) {
    child.kill('SIGTERM');
    await code;
  }
  await rm(directory, { recursive: true, maxRetries: 5 });
});

function gateway(change = ''): string {
  return `apiVersion: gatehouse.dev/v1alpha1
kind: McpGateway
metadata: { name: orders, namespace: tools }
spec:
  server: { url: "http://127.0.0.1:9/mcp", transport: StreamableHTTP }
  identity:
    - name: staff
      oidc: { issuer: "http://127.0.0.1:9", audiences: ["https://orders.test/mcp"], groupsClaim: groups }
  access: [{ groups: [support], tools: ["query"] }]
${change}`;
}

/** Whole or not at all, as editors and kubectl write. */
async function edit(text: string): Promise<void> {
  await writeFile(join(directory, '.next'), text);
  await rename(join(directory, '.next'), join(directory, 'orders.yaml'));
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [CLI, 'standalone', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const code = once(child, 'close').then(() => child.exitCode);
  const running = { process: child, out: () => out, err: () => err, code };
  started.push(running);
  return running;
}

async function serve(): Promise<Served> {
  const running = start(directory, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0');
  const ended = running.code.then((code) => {
    throw new Error(`It ended with ${String(code)}:\n${running.err()}`);
  });
  const ready = expect.poll(running.out, { timeout: 45_000, interval: 50 }).toMatch(READY);
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  const [, mcp = '', admin = ''] = READY.exec(running.out()) ?? [];
  return { ...running, mcp, admin };
}

const statusShape = z.object({
  ready: z.boolean(),
  problems: z.array(z.string()),
  gateways: z.array(z.object({ revision: z.string(), applied: z.array(z.object({ revision: z.string() })) })),
  processes: z.array(
    z.object({ name: z.string(), running: z.boolean(), restarts: z.number(), url: z.string().optional() }),
  ),
});

async function statusOf(admin: string): Promise<z.infer<typeof statusShape>> {
  return statusShape.parse(await (await fetch(`${admin}/v1/status`)).json());
}

/** Process ids of the recorder and the proxy, as the operating system has them. */
async function childrenOf({ process: parent }: Running): Promise<number[]> {
  const path = `/proc/${String(parent.pid)}/task/${String(parent.pid)}/children`;
  return (await readFile(path, 'utf8')).trim().split(' ').map(Number);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a directory of manifests', () => {
  beforeEach(() => edit(gateway()));

  test('is served, guarded, until it is told to end', async () => {
    const { mcp, admin, process: parent, code, out } = await serve();
    const answer = await fetch(mcp, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('resource_metadata');
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toContain('gatehouse_operator_process_up{process="proxy"} 1');
    expect(metrics).toContain('gatehouse_operator_process_up{process="recorder"} 1');
    expect(metrics).toContain('gatehouse_operator_connected_proxies 1');
    parent.kill('SIGTERM');
    expect(await code).toBe(0);
    expect(out().split('\n')).toHaveLength(2);
    await expect(fetch(admin)).rejects.toThrow();
  });

  test('keeps its keys where only their owner reads them, over a restart too', async () => {
    const first = await serve();
    const keys = join(directory, '.gatehouse', 'keys');
    for (const name of [
      'authority.json',
      'sealing.json',
      'hash.json',
      'proxy.token',
      'control.key',
      'recorder.key',
    ]) {
      expect([name, (await stat(join(keys, name))).mode & 0o077]).toEqual([name, 0]);
    }
    const sealing = await readFile(join(keys, 'sealing.json'), 'utf8');
    const token = await readFile(join(keys, 'proxy.token'), 'utf8');
    expect(first.err()).not.toContain(token);
    first.process.kill('SIGINT');
    expect(await first.code).toBe(0);
    await serve();
    expect(await readFile(join(keys, 'sealing.json'), 'utf8')).toBe(sealing);
    expect(await readFile(join(keys, 'proxy.token'), 'utf8')).not.toBe(token);
  });

  test('is edited: what is right is in force, what is wrong changes nothing', async () => {
    const { admin, err } = await serve();
    const before = (await statusOf(admin)).gateways[0]?.revision;
    await edit(gateway('  limits: { callsPerMinute: 60 }\n'));
    await expect.poll(async () => (await statusOf(admin)).gateways[0]?.revision).not.toBe(before);
    const after = (await statusOf(admin)).gateways[0]?.revision;
    await expect.poll(async () => (await statusOf(admin)).gateways[0]?.applied[0]?.revision).toBe(after);
    await edit(gateway('  limits: { callsPerMinute: never }\n'));
    await expect.poll(async () => (await statusOf(admin)).problems).toHaveLength(1);
    const wrong = await statusOf(admin);
    expect(wrong.problems[0]).toContain('spec.limits.callsPerMinute');
    expect(wrong).toMatchObject({ ready: true, gateways: [{ revision: after }] });
    expect(err()).toContain('spec.limits.callsPerMinute');
    await edit(gateway('  limits: { callsPerMinute: 60 }\n'));
    await expect.poll(async () => (await statusOf(admin)).problems).toEqual([]);
  });

  test('goes on at the same address when a process of it dies', async () => {
    const served = await serve();
    for (const pid of await childrenOf(served)) process.kill(pid, 'SIGKILL');
    await expect
      .poll(async () => (await statusOf(served.admin)).processes, { timeout: 45_000 })
      .toMatchObject([
        { name: 'recorder', running: true, restarts: 1 },
        { name: 'proxy', running: true, restarts: 1, url: new URL(served.mcp).origin },
      ]);
    expect((await fetch(served.mcp, { method: 'POST' })).status).toBe(401);
  });

  test('leaves no process behind when it is killed', async () => {
    const served = await serve();
    const children = await childrenOf(served);
    expect(children).toHaveLength(2);
    served.process.kill('SIGKILL');
    await served.code;
    await expect.poll(() => children.filter(lives), { timeout: 45_000 }).toEqual([]);
  });

  test('is not served twice from one state', async () => {
    await serve();
    const second = start(directory, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0');
    expect(await second.code).toBe(2);
    expect(second.err()).toMatch(/\.gatehouse is in use by another process/);
  });

  test.each(['--listen', '--admin'])('is not served where %s is taken', async (flag) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    try {
      const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
      const { code, err, out } = start(directory, ...free, flag, `127.0.0.1:${port}`);
      expect(await code).toBe(2);
      expect(err()).toContain(`Cannot listen on 127.0.0.1:${port}: another process listens there already.`);
      expect(err()).not.toMatch(/^\s+at /m);
      expect(out()).toBe('');
    } finally {
      taken.close();
    }
  });
});

test.each([
  ['a mistake', gateway('  limits: { callsPerMinute: never }\n'), 'orders.yaml'],
  ['a rule that binds nothing', `${gateway()}---\n${ruleFor('billing')}`, 'billing'],
  ['nothing to guard', '', 'There is no McpGateway'],
])('manifests with %s are refused with a sentence', async (_, text, sentence) => {
  await edit(text);
  const { code, err, out } = start(directory, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0');
  expect(await code).toBe(2);
  expect(err()).toContain(sentence);
  expect(err()).not.toMatch(/^\s+at /m);
  expect(out()).toBe('');
});

function ruleFor(name: string): string {
  return `apiVersion: gatehouse.dev/v1alpha1
kind: ApprovalRule
metadata: { name: destructive, namespace: tools }
spec:
  targetRefs: [{ kind: McpGateway, name: ${name} }]
  match: { tools: [query] }
  effect: Deny
`;
}

test.each([
  [[], 'takes one directory'],
  [['a', 'b'], 'takes one directory'],
  [['a', '--listen', 'here'], '--listen is "here", but must be HOST:PORT'],
  [['a', '--admin', '127.0.0.1:99999'], 'but must be HOST:PORT'],
  [['a', '--nothing'], "Unknown option '--nothing'"],
])('the command line %j is wrong: a sentence and exit 2', async (args, sentence) => {
  const { code, err } = start(...args);
  expect(await code).toBe(2);
  expect(err()).toContain(sentence);
});

test('a directory that is not there is said to be so', async () => {
  const { code, err } = start(join(directory, 'none'), '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0');
  expect(await code).toBe(2);
  expect(err()).toContain(join(directory, 'none'));
});
