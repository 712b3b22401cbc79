/** A whole standalone installation with a real Vault and PostgreSQL: what a run leaves behind, and where it can be seen. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { childOf } from '../e2e/processes.ts';
import { startWorld, statusOf, type World } from '../e2e/world.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { answerTo, note, streamedCall } from '../e2e/obligations/streamed-call.ts';
import { answerOf, eventsOf, modernCall, openSession, type HandSession } from '../fixtures/hand-client.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { toolText } from '../fixtures/scripted-server.ts';
import { connectDatabase, startVault, whyNoVault, type TestVault } from '../fixtures/vault.ts';
import { ENCODINGS } from '../masking/encodings.ts';

const USERS = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-%'";
const database = (scope: string) => ({
  name: 'db',
  scope,
  source: { vault: { role: 'mcp', dynamic: { mount: 'database', role: 'ro' } } },
  inject: { server: { header: { name: 'X-Db', value: '{{ username }}:{{ password }}' } } },
});

describeUnless(whyNoVault() ?? whyNoPostgres(), 'standalone with Vault', () => {
  let vault: TestVault;
  let postgres: Postgres;
  let directory: string;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    [vault, postgres] = await Promise.all([startVault(), startPostgres()]);
    await connectDatabase(vault, postgres);
    await vault.api('POST', 'sys/auth/approle', { type: 'approle' });
    await vault.api('POST', 'auth/approle/role/mcp', { token_policies: ['mcp'], token_ttl: '1h' });
  });
  afterAll(async () => {
    await vault[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gatehouse-vault-e2e-'));
    const file = join(directory, 'approle.json');
    const id = await vault.api('GET', 'auth/approle/role/mcp/role-id');
    const secret = await vault.api('POST', 'auth/approle/role/mcp/secret-id');
    const role = { role_id: id.data?.['role_id'], secret_id: secret.data?.['secret_id'] };
    await writeFile(file, JSON.stringify({ mcp: role }), { mode: 0o600 });
    env = { VAULT_ADDR: vault.address, VAULT_CACERT: vault.caFile, GATEHOUSE_VAULT_APPROLE_FILE: file };
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** All that the processes write on stderr goes into the file of that name. */
  const started = (scope: string, limits = {}): Promise<World> =>
    startWorld({
      spec: { credentials: [database(scope)], limits: { callsPerMinute: 100_000, ...limits } },
      child: { env, prefix: ['sh', '-c', `exec "$@" 2>>'${join(directory, 'log')}'`, 'sh'] },
    });

  const call = async (session: HandSession): Promise<string> =>
    JSON.stringify(await answerOf(await session.request('tools/call', { name: 'who' })));

  /** The server says what it got, and remembers it. */
  function echo(world: World): Set<string> {
    const seen = new Set<string>();
    world.server.on('tools/call', (heard) => {
      const given = String(heard.headers['x-db']);
      seen.add(given);
      heard.result(toolText(`I log in with ${given} and ${Buffer.from(given).toString('base64')}`));
    });
    return seen;
  }

  const users = async (): Promise<number> => Number(await postgres.query(USERS));

  /** Everything that a run wrote, but the tokens of this test's own making. */
  async function everything(world: World): Promise<string> {
    const found = await readdir(world.gatehouse.directory, { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const texts = [join(directory, 'log'), ...files].map((file) => readFile(file, 'latin1').catch(() => ''));
    return (await Promise.all(texts)).join('\n');
  }

  test('after 100 sessions there are as many database users as before, and no minted value stands anywhere', async () => {
    const before = await users();
    const world = await started('Session');
    const seen = echo(world);
    try {
      const way = await world.as('ana');
      const sessions = await Promise.all(Array.from({ length: 100 }, () => openSession(way)));
      const answers = await Promise.all(sessions.map(call));
      // The same session, the same user.
      await Promise.all(sessions.slice(0, 10).map(call));
      expect(seen.size).toBe(100);
      expect(await users()).toBe(before + 100);
      const [given = ''] = seen;
      const [user = '', password = ''] = given.split(':');
      expect(await postgres.query('SELECT current_user', { user, password })).toBe(user);

      await Promise.all(sessions.slice(0, 40).map((session) => session.end()));
      await expect.poll(users, { timeout: 30_000 }).toBe(before + 60);
      const metrics = await (await fetch(`${world.gatehouse.admin}/metrics`)).text();
      expect(metrics).toMatch(/gatehouse_proxy_leases\{[^}]*\} 60\n/);

      await world.gatehouse.child.stop();
      expect(await users()).toBe(before);
      const text = [...answers, metrics, await everything(world)].join('\n');
      expect(text).toContain('[REDACTED:known-secret]');
      const values = [...seen].flatMap((pair) => pair.split(':'));
      const shown = values.filter((value) => text.includes(value));
      expect(values).toHaveLength(200);
      expect(shown).toEqual([]);
    } finally {
      await world[Symbol.asyncDispose]();
    }
  });

  test('a proxy that is killed with leases open leaves none after its next start', async () => {
    const before = await users();
    await using world = await started('Session');
    const seen = echo(world);
    const way = await world.as('ana');
    const sessions = await Promise.all(Array.from({ length: 5 }, () => openSession(way)));
    await Promise.all(sessions.map(call));
    expect(await users()).toBe(before + 5);
    const leases = join(world.gatehouse.directory, '.gatehouse/proxy/leases');
    const [file = ''] = await readdir(leases);
    const journal = await readFile(join(leases, file), 'utf8');
    expect(journal.split('\n').filter((line) => line.includes('database/creds/ro/'))).toHaveLength(5);

    process.kill(await childOf(world.gatehouse, 'proxy'), 'SIGKILL');
    const proxy = async () =>
      (await statusOf(world.gatehouse)).processes.find(({ name }) => name === 'proxy');
    await expect.poll(proxy, { timeout: 30_000 }).toMatchObject({ running: true, restarts: 1 });
    await expect.poll(users, { timeout: 30_000 }).toBe(before);
    const text = await everything(world);
    expect([...seen].flatMap((pair) => pair.split(':')).filter((value) => text.includes(value))).toEqual([]);
    // A session goes on, with a user of its own.
    await call(await openSession(way));
    expect(await users()).toBe(before + 1);
  });

  test('a lease of scope Request is gone when the call has its answer', async () => {
    const before = await users();
    await using world = await started('Request');
    const during: number[] = [];
    world.server.on('tools/call', async (heard) => {
      during.push(await users());
      heard.result(toolText('done'));
    });
    const session = await openSession(await world.as('ana'));
    await expect.poll(users, { timeout: 30_000 }).toBe(before);
    await call(session);
    expect(during).toEqual([before + 1]);
    await expect.poll(users, { timeout: 30_000 }).toBe(before);
  });

  test('a lease of scope Request lives as long as the stream of its call, also when its client has hung up', async () => {
    const before = await users();
    await using world = await started('Request');
    const session = await openSession(await world.as('ana'));
    await expect.poll(users, { timeout: 30_000 }).toBe(before);
    for (const stays of [true, false]) {
      const { heard, stream, response } = await streamedCall(world, session);
      const events = eventsOf(response);
      for (let line = 1; line <= 5; line += 1) {
        stream.send(note(line));
        if (stays || line === 1) await events.next();
        if (!stays && line === 1) await events.cancel();
        await delay(100);
        expect(await users()).toBe(before + 1);
      }
      stream.send(answerTo(heard));
      stream.end();
      await expect.poll(users, { timeout: 30_000 }).toBe(before);
    }
  });

  test('in 2026-07-28, where hanging up cancels a call, its lease goes with it', async () => {
    const before = await users();
    await using world = await started('Request');
    world.server.on('tools/call', (heard) => heard.stream().send(note(1)));
    const events = eventsOf(await modernCall(await world.as('ana'), 'tools/call', { name: 'slow' }));
    await events.next();
    expect(await users()).toBe(before + 1);
    await events.cancel();
    await expect.poll(users, { timeout: 30_000 }).toBe(before);
  });

  test('over the cap of leases a session is refused with a sentence, and counted', async () => {
    const before = await users();
    await using world = await started('Session', { leases: 3 });
    const way = await world.as('ana');
    const opened = await Promise.allSettled(Array.from({ length: 5 }, () => openSession(way)));
    const refused = opened.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(refused).toHaveLength(2);
    expect(refused[0]).toContain('holds as many leases as it may (3)');
    expect(await users()).toBe(before + 3);
    const metrics = await (await fetch(`${world.gatehouse.admin}/metrics`)).text();
    expect(metrics).toMatch(/gatehouse_proxy_leases_minted_total\{[^}]*outcome="refused"[^}]*\} 2\n/);
    expect(metrics).toMatch(/gatehouse_proxy_leases\{[^}]*\} 3\n/);
  });

  test('what Vault made is masked in every encoding in which a server may write it', async () => {
    await using world = await started('Session');
    const written = new Map<string, string>();
    world.server.on('tools/call', (heard) => {
      const [, password = ''] = String(heard.headers['x-db']).split(':');
      for (const [name, encode] of Object.entries(ENCODINGS)) written.set(name, encode(password));
      heard.result(toolText(JSON.stringify(Object.fromEntries(written))));
    });
    const answer = await call(await openSession(await world.as('ana')));
    expect(written.size).toBeGreaterThan(20);
    const found = [...written].filter(([, text]) => answer.includes(JSON.stringify(text).slice(1, -1)));
    expect(found).toEqual([]);
    const masks = answer.match(/\[REDACTED:known-secret\]/g) ?? [];
    expect(masks.length).toBeGreaterThanOrEqual(written.size);
  });

  test('a call goes without no credential: a Vault that is sealed is a refusal with its reason', async () => {
    await using world = await started('Session');
    const way = await world.as('ana');
    const session = await openSession(way);
    await vault.seal();
    const other = await world.as('bea');
    await expect(openSession(other)).rejects.toThrow('Vault cannot answer now (it is sealed)');
    // What is held goes on.
    expect(await call(session)).toContain('result');
    await vault.unseal();
    await expect
      .poll(
        () =>
          openSession(other).then(
            () => 'in',
            () => 'out',
          ),
        { timeout: 30_000 },
      )
      .toBe('in');
  });
});
