/** The operator in this process, real people with real tokens, and the command line. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fetch } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../lib/log.ts';
import { openDirectoryStore } from '../operator/approve/directory-store.ts';
import { NO_FLOORS, STANDALONE_NAMESPACE } from '../operator/compile/index.ts';
import { openDirectoryToolMemory } from '../operator/tools/directory-memory.ts';
import { openDirectoryKeys } from '../operator/keys/installation-keys.ts';
import { openPki } from '../operator/keys/pki.ts';
import { startOperator, type Operator } from '../operator/main.ts';
import { fixedTokens } from '../operator/publish/identity.ts';
import { demand, requester, rule } from '../test/fixtures/approval.ts';
import { bundleOf } from '../test/fixtures/bundle.ts';
import { startIssuer, type Issuer } from '../test/fixtures/issuer.ts';
import { manualClock, type ManualClock } from '../test/fixtures/manual-clock.ts';
import { main } from './main.ts';

const AUDIENCE = 'https://orders.test/mcp';

let directory: string;
let clock: ManualClock;
let issuer: Issuer;
let operator: Operator;
let id: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-approvals-cli-'));
  clock = manualClock(Date.now());
  issuer = await startIssuer();
  const anywhere = { host: '127.0.0.1', port: 0 };
  const pki = await openPki(directory, clock.now());
  const certificate = () => pki.server('control', ['127.0.0.1'], clock.now());
  operator = await startOperator(
    {
      adminListen: anywhere,
      adminHosts: [],
      control: { listen: anywhere, certificate, checkEveryMs: 43_200_000 },
      asWhole: true,
      usernames: [],
    },
    {
      clock,
      log: silentLogger(),
      store: await openDirectoryStore(join(directory, 'approvals'), silentLogger()),
      keys: await openDirectoryKeys(directory),
      tools: await openDirectoryToolMemory(join(directory, 'tools.json')),
      installation: () => ({ namespace: STANDALONE_NAMESPACE, baseDir: directory, floors: NO_FLOORS }),
      reviewer: fixedTokens([]),
      fetch,
      roots: () => undefined,
      fetchText: fetch,
      processes: () => [{ name: 'proxy', running: true, restarts: 0 }],
      metricsPages: () => [{ process: 'proxy', url: `${issuer.url}/nothing` }],
    },
  );
  putInForce(rule);
  id = await held(requester.subject, requester.username);
});

afterEach(async () => {
  await operator.close();
  await issuer[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function putInForce(inForce: typeof rule): void {
  const staff = { kind: 'oidc' as const, name: 'staff', issuer: issuer.url, audiences: [AUDIENCE] };
  operator.board.replace([
    bundleOf({
      revision: inForce.revision,
      identity: [{ ...staff, usernameClaim: 'email', groupsClaim: 'groups' }],
      rules: [inForce],
    }),
  ]);
}

async function held(subject: string, username: string, asked = rule): Promise<string> {
  const person = { ...requester, issuer: issuer.url, subject, username };
  const { name, revision } = asked;
  const wanted = { ...demand, requester: person, rule: { name, revision } };
  return (await operator.approvals.demand(wanted)).metadata.name;
}

async function tokenOf(
  name: string,
  groups: string[],
  change: Record<string, unknown> = {},
): Promise<string> {
  const claims = { sub: `sub-${name}`, email: name, groups, aud: AUDIENCE, ...change };
  const file = join(directory, `${name}.token`);
  await writeFile(file, `${await issuer.token(claims)}\n`);
  return file;
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdin: new PassThrough().end(), stdout, stderr, stop: new AbortController().signal };
  const code = await main(
    ['approvals', ...args, ...(args.includes('--admin') ? [] : ['--admin', operator.adminUrl])],
    io,
  );
  return { code, out: text(stdout), err: text(stderr) };
}

function text(stream: PassThrough): string {
  return String(stream.read() ?? '');
}

describe('an approver', () => {
  test('lists, reads and approves what waits', async () => {
    const token = await tokenOf('alice', ['dba']);
    const listed = await run('list', '--token', token);
    expect(listed.out.split('\n')[0]).toMatch(/^ID +PHASE +GATEWAY +TOOL +REQUESTER +RISK +EXPIRES$/);
    expect(listed.out).toContain(id);
    expect(listed.out).toMatch(/Pending +tools\/orders +query +sam +70 +in 15m/);
    const shown = await run('show', id, '--token', token);
    expect(shown.out).toMatch(/^Risk: +70 of 100; deletes rows \(70\)$/m);
    expect(shown.out).toMatch(/^Requester: +sam \(staff; groups: support, dba\)$/m);
    expect(shown.out).toMatch(/^Held by: +rule tools\/destructive-sql$/m);
    expect(shown.out).toContain('  @@ query at tools/orders @@\n  + sql: DELETE FROM orders WHERE id = 7\n');
    expect(await run('approve', id, '--token', token, '--comment', 'agreed')).toEqual({
      code: 0,
      out: `${id} approved.\n`,
      err: '',
    });
    expect((await run('show', id, '--token', token)).out).toMatch(
      /^Approved: +by alice at .* via api: agreed$/m,
    );
    expect((await run('list', '--token', token)).out).toBe('No calls wait for your decision.\n');
    expect((await run('list', '--all', '--token', token)).out).toContain('Approved');
  });

  test('denies', async () => {
    const token = await tokenOf('alice', ['dba']);
    expect(await run('deny', id, '--token', token)).toMatchObject({ code: 0, out: `${id} denied.\n` });
    expect((await operator.approvals.get(id)).status.phase).toBe('Denied');
  });

  test('is told when others must approve too', async () => {
    // Who decides is settled when the call is held, so it is another call under another revision.
    const two = { ...rule, revision: 'r2', approvers: { ...rule.approvers, count: 2 } };
    putInForce(two);
    const id = await held(requester.subject, requester.username, two);
    const first = await run('approve', id, '--token', await tokenOf('alice', ['dba']));
    expect(first.out).toBe(`${id} approved by you; it waits for further approvers.\n`);
    const second = await run('approve', id, '--token', await tokenOf('bob', ['dba']));
    expect(second.out).toBe(`${id} approved.\n`);
  });

  test('gets JSON that programs read', async () => {
    const token = await tokenOf('alice', ['dba']);
    const { out } = await run('list', '--output', 'json', '--token', token);
    expect(JSON.parse(out)).toMatchObject({ items: [{ kind: 'ApprovalRequest', metadata: { name: id } }] });
    expect(JSON.parse((await run('show', id, '-o', 'json', '--token', token)).out)).toMatchObject({
      spec: { requester: { username: 'sam' } },
    });
  });
});

describe('who is refused, and why', () => {
  const refused = async (args: string[], sentence: RegExp): Promise<void> => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(sentence);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  };

  test('the requester, who sees the request and cannot decide it', async () => {
    const token = await tokenOf('sam', ['dba']);
    expect((await run('list', '--token', token)).out).toContain(id);
    await refused(
      ['approve', id, '--token', token],
      /^sam made this call; .* wants somebody else to decide\.$/m,
    );
  });

  test('who is no approver: they see nothing and decide nothing', async () => {
    const token = await tokenOf('eve', ['support']);
    expect((await run('list', '--all', '--token', token)).out).not.toContain(id);
    await refused(['show', id, '--token', token], /^Only approvers of the rule/);
    await refused(['approve', id, '--token', token], /^eve is not among the approvers/);
  });

  test('whose token is for something else, expired, or of a stranger', async () => {
    const elsewhere = await tokenOf('alice', ['dba'], { aud: 'https://other.test' });
    await refused(['list', '--token', elsewhere], /^The token is not for "https:\/\/orders\.test\/mcp"\.$/m);
    const expired = await tokenOf('alice', ['dba'], { exp: Math.floor(Date.now() / 1000) - 100 });
    await refused(['list', '--token', expired], /^The token has expired\.$/m);
    const stranger = await tokenOf('alice', ['dba'], { iss: 'https://evil.test' });
    await refused(
      ['approve', id, '--token', stranger],
      /^The token is not a JWT of an issuer that the gateway trusts\.$/m,
    );
  });

  test('who comes too late', async () => {
    const token = await tokenOf('alice', ['dba']);
    await run('deny', id, '--token', token);
    await refused(['approve', id, '--token', token], /was denied\.$/m);
    const next = await held('sub-other', 'other');
    clock.advance(rule.expiresAfterMs);
    await refused(['approve', next, '--token', token], /has expired\.$/m);
    await refused(['approve', 'orders-none', '--token', token], /^There is no such approval\.$/m);
  });

  test('who decides under a rule that has changed', async () => {
    putInForce({ ...rule, revision: 'r2' });
    const token = await tokenOf('alice', ['dba']);
    await refused(['approve', id, '--token', token], /was changed or removed since the call was made/);
  });

  test('whoever asks while the issuer is away', async () => {
    const token = await tokenOf('alice', ['dba']);
    await issuer[Symbol.asyncDispose]();
    await refused(['list', '--token', token], /^The keys of the issuer .* could not be fetched\.$/m);
    issuer = await startIssuer();
  });

  test('whoever asks where nobody answers, or somebody else', async () => {
    const token = await tokenOf('alice', ['dba']);
    await refused(['list', '--token', token, '--admin', 'http://127.0.0.1:9'], /cannot be reached/);
    await refused(['list', '--token', token, '--admin', issuer.url], /answered with HTTP status 404/);
    await refused(['list', '--token', join(directory, 'none')], /^The token file .* cannot be used/);
  });
});

test('watch tells what waits and what becomes of it, until it is told to stop', async () => {
  const token = await tokenOf('alice', ['dba']);
  const [stdout, stop] = [new PassThrough(), new AbortController()];
  let seen = '';
  stdout.setEncoding('utf8').on('data', (chunk: string) => (seen += chunk));
  const io = { stdin: new PassThrough().end(), stdout, stderr: new PassThrough(), stop: stop.signal };
  const watching = main(['approvals', 'watch', '--token', token, '--admin', operator.adminUrl], io);
  await expect
    .poll(() => seen, { timeout: 20_000 })
    .toContain(`${id}  Pending  query at tools/orders by sam`);
  await run('approve', id, '--token', token);
  await expect
    .poll(() => seen, { timeout: 20_000 })
    .toMatch(new RegExp(`${id}  Approved  .*; decided by alice\\n`));
  stop.abort();
  expect(await watching).toBe(0);
  expect(seen.split('\n')).toHaveLength(3);
});

test.each([
  [[], 'takes one of list, show, approve, deny, watch'],
  [['decide'], 'takes one of list, show, approve, deny, watch'],
  [['approve'], 'takes the id of one approval'],
  [['list', 'x'], 'takes no further words'],
  [['list'], '--token FILE'],
  [['list', '--token', 'x', '--output', 'xml'], 'must be table or json'],
  [['list', '--token', 'x', '--comment', 'y'], '--comment goes with approve and deny'],
  [['list', '--token', 'x', '--admin', 'ftp://x'], 'must be a URL'],
  [['list', '--tokens', 'x'], "Unknown option '--tokens'"],
])('the command line %j is wrong: a sentence and exit 2', async (args, sentence) => {
  const { code, out, err } = await run(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(sentence);
});

describe('the admin API', () => {
  const get = async (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string }> => {
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      httpRequest(new URL(path, operator.adminUrl), { headers, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      })
        .on('error', reject)
        .end();
    });
    return answer;
  };

  test('says that it lives, and whether it is ready and why not', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get('/readyz')).toEqual({
      status: 503,
      body: 'No proxy has applied the bundle in force of the gateway tools/orders.\n',
    });
  });

  test('shows the status of gateways and processes', async () => {
    const status: unknown = JSON.parse((await get('/v1/status')).body);
    expect(status).toMatchObject({
      ready: false,
      gateways: [{ name: 'tools/orders', revision: 'r1', applied: [] }],
      problems: [],
      processes: [{ name: 'proxy', running: true }],
    });
  });

  test('counts what is held and decided, and whether the processes answer', async () => {
    await run('deny', id, '--token', await tokenOf('alice', ['dba']));
    const { body } = await get('/metrics');
    expect(body).toContain('gatehouse_operator_approvals{phase="Denied"} 1');
    expect(body).toContain('gatehouse_operator_approval_decisions_total{verdict="Deny"} 1');
    expect(body).toContain('gatehouse_operator_process_up{process="proxy"} 0');
  });

  test('answers to its own names only', async () => {
    const port = new URL(operator.adminUrl).port;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      expect((await get('/healthz', { host })).status).toBe(200);
    }
    for (const host of [`evil.test:${port}`, 'evil.test', '127.0.0.1.evil.test']) {
      const { status, body } = await get('/healthz', { host });
      expect(status).toBe(403);
      expect(body).toContain('bad_host');
    }
  });

  test('wants a token for approvals and says so', async () => {
    for (const path of ['/v1/approvals', `/v1/approvals/${id}`]) {
      const { status, body } = await get(path);
      expect(status).toBe(401);
      expect(body).toContain('unauthenticated');
    }
    expect((await get('/v1/none')).status).toBe(404);
  });
});
