/** Every engine of a real Vault, over TLS, with each way to log in. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lease } from '../../proxy/credential/lease.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { manualClock } from '../fixtures/manual-clock.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { connectDatabase, JWT_ROLE, startVault, whyNoVault, type TestVault } from '../fixtures/vault.ts';
import { fromVault, openLender } from './lender.ts';

const value = (lease: Lease, field: string): string => lease.fields.get(field)?.reveal() ?? '';
const login = (lease: Lease) => ({ user: value(lease, 'username'), password: value(lease, 'password') });

describeUnless(whyNoVault() ?? whyNoPostgres(), 'the engines of Vault', () => {
  let vault: TestVault;
  let postgres: Postgres;

  beforeAll(async () => {
    [vault, postgres] = await Promise.all([startVault(), startPostgres()]);
    await connectDatabase(vault, postgres);
  });
  afterAll(async () => {
    await vault[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });

  test('a database user is made for a session, logs in, and is dropped with it', async () => {
    await using lender = await openLender(vault);
    const lease = await lender.leases.lend('db', { session: 's1' });
    expect(await postgres.query('SELECT current_user', login(lease))).toBe(value(lease, 'username'));
    expect(await vault.leases('database/creds/ro')).toHaveLength(1);
    lender.leases.endSession('s1');
    await expect.poll(() => vault.leases('database/creds/ro')).toEqual([]);
    await expect(postgres.query('SELECT 1', login(lease))).rejects.toThrow('authentication failed');
  });

  test('the password of a user that stays is followed as Vault rotates it', async () => {
    await postgres.query("CREATE ROLE app LOGIN PASSWORD 'first'");
    await vault.api('POST', 'database/static-roles/app', {
      db_name: 'main',
      username: 'app',
      rotation_period: '1h',
    });
    const clock = manualClock(Date.now());
    const source = fromVault('app', { static: { mount: 'database', role: 'app' } });
    await using lender = await openLender(vault, { clock, credentials: [source] });
    const first = await lender.leases.lend('app', { session: 's1' });
    expect(await lender.leases.lend('app', { session: 's2' })).toBe(first);
    expect(await postgres.query('SELECT current_user', login(first))).toBe('app');
    await vault.api('POST', 'database/rotate-role/app');
    const second = await lender.leases.replace('app', { session: 's1' }, first);
    expect(await postgres.query('SELECT current_user', login(second))).toBe('app');
    await vault.api('POST', 'database/rotate-role/app');
    clock.advance(3_600_000);
    const third = await lender.leases.lend('app', { session: 's1' });
    expect(await postgres.query('SELECT current_user', login(third))).toBe('app');
  });

  test('a new version of a secret of KV is noticed within a minute, and the old one stays masked', async () => {
    const put = (token: string) => vault.api('POST', 'kv/data/team/turned', { data: { token } });
    await put('kv-before-it');
    const clock = manualClock(Date.now());
    const credentials = [fromVault('turned', { kv: { mount: 'kv', path: 'team/turned' } })];
    await using lender = await openLender(vault, { clock, credentials });
    const lend = async (): Promise<string> =>
      value(await lender.leases.lend('turned', { session: 's' }), 'token');
    expect(await lend()).toBe('kv-before-it');
    await put('kv-after-it');
    clock.advance(30_000);
    expect(await lend()).toBe('kv-before-it');
    clock.advance(31_000);
    expect(await lend()).toBe('kv-after-it');
    expect([...lender.values]).toEqual(expect.arrayContaining(['kv-before-it', 'kv-after-it']));
  });

  test('a lease is renewed in Vault at two thirds of its term', async () => {
    const clock = manualClock(Date.now());
    await using lender = await openLender(vault, { clock, random: () => 0 });
    const lease = await lender.leases.lend('db', { session: 'renewed' });
    const [id] = await vault.leases('database/creds/ro');
    const lookup = (): Promise<unknown> =>
      vault.api('PUT', 'sys/leases/lookup', { lease_id: `database/creds/ro/${id ?? ''}` });
    expect(await lookup()).toMatchObject({ data: { last_renewal: null } });
    const termMs = (lease.expiresAt ?? NaN) - clock.now();
    clock.advance((termMs * 2) / 3 + 1_000);
    await expect.poll(() => lender.counts['renewed ok']).toBe(1);
    expect(await lookup()).toMatchObject({ data: { last_renewal: expect.any(String) as unknown } });
    expect(await lender.leases.lend('db', { session: 'renewed' })).toBe(lease);
  });

  test('a secret of KV is the newest, or the version that is pinned, in both versions of the engine', async () => {
    for (const token of ['kv-first', 'kv-second'])
      await vault.api('POST', 'kv/data/team/app', { data: { token, port: 5432 } });
    await vault.api('POST', 'kv1/team/app', { token: 'kv-one' });
    const at = { mount: 'kv', path: 'team/app' };
    await using lender = await openLender(vault, {
      credentials: [
        fromVault('newest', { kv: at }),
        fromVault('pinned', { kv: { ...at, version: 1 } }),
        fromVault('old', { kv: { mount: 'kv1', path: 'team/app' } }),
        fromVault('none', { kv: { mount: 'kv', path: 'team/none' } }),
      ],
    });
    const lend = (name: string) => lender.leases.lend(name, { session: 's' });
    const newest = await lend('newest');
    expect([value(newest, 'token'), value(newest, 'port')]).toEqual(['kv-second', '5432']);
    expect(value(await lend('pinned'), 'token')).toBe('kv-first');
    expect(value(await lend('old'), 'token')).toBe('kv-one');
    await expect(lend('none')).rejects.toThrow('nothing at that path');
  });

  test('a certificate comes with its key and is for the name that was asked for', async () => {
    await vault.api('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '24h' } });
    await vault.api('POST', 'pki/root/generate/internal', { common_name: 'Test Root', ttl: '24h' });
    await vault.api('POST', 'pki/roles/clients', { allow_any_name: true, max_ttl: '1h' });
    const pki = {
      mount: 'pki',
      role: 'clients',
      commonName: 'orders.test',
      altNames: ['b.test'],
      ttl: '30m',
    };
    await using lender = await openLender(vault, { credentials: [fromVault('tls', { pki })] });
    const lease = await lender.leases.lend('tls', { session: 's' });
    const certificate = new X509Certificate(value(lease, 'certificate'));
    expect(certificate.checkHost('b.test')).toBe('b.test');
    expect(value(lease, 'private_key')).toContain('PRIVATE KEY');
    expect(lease.expiresAt).toBeLessThanOrEqual(Date.parse(certificate.validTo) + 1000);
    expect(new X509Certificate(value(lease, 'ca_chain')).subject).toContain('Test Root');
  });

  test('any path can be read or written to, and its lease is honoured', async () => {
    await using lender = await openLender(vault, {
      credentials: [
        fromVault('users', { read: { path: 'database/creds/ro' } }),
        fromVault('issued', { read: { path: 'pki/issue/clients', parameters: { common_name: 'c.test' } } }),
      ],
    });
    const user = await lender.leases.lend('users', { session: 's' });
    expect(user.expiresAt).toBeDefined();
    expect(await postgres.query('SELECT 1', login(user))).toBe('1');
    const issued = await lender.leases.lend('issued', { session: 's' });
    expect(value(issued, 'certificate')).toContain('BEGIN CERTIFICATE');
    lender.leases.endSession('s');
    await expect.poll(() => vault.leases('database/creds/ro')).toEqual([]);
  });

  test('Kubernetes auth, AppRole and a token file let us in, and only what is ours is revoked', async () => {
    await vault.api('POST', 'sys/auth/k8s', { type: 'jwt' });
    const { data } = await vault.api('GET', 'auth/jwt/config');
    await vault.api('POST', 'auth/k8s/config', { jwt_validation_pubkeys: data?.['jwt_validation_pubkeys'] });
    await vault.api('POST', 'auth/k8s/role/mcp', JWT_ROLE);
    await vault.api('POST', 'sys/auth/approle', { type: 'approle' });
    await vault.api('POST', 'auth/approle/role/mcp', { token_policies: ['mcp'], token_ttl: '1h' });
    const id = await vault.api('GET', 'auth/approle/role/mcp/role-id');
    const secret = await vault.api('POST', 'auth/approle/role/mcp/secret-id');
    const given = await vault.api('POST', 'auth/token/create', { policies: ['mcp'], ttl: '1h' });

    await using place = await openLender(vault);
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(place.directory, name), text);
      return join(place.directory, name);
    };
    const role = { role_id: id.data?.['role_id'], secret_id: secret.data?.['secret_id'] };
    const ways = [
      { kind: 'kubernetes', mount: 'k8s', file: join(place.directory, 'token') },
      { kind: 'appRole', mount: 'approle', file: await file('approle', JSON.stringify({ mcp: role })) },
      { kind: 'tokenFile', file: await file('given', `${given.auth?.client_token ?? ''}\n`) },
    ] as const;
    const proofs = [
      readFileSync(join(place.directory, 'token'), 'utf8'),
      role.secret_id,
      given.auth?.client_token,
    ];
    for (const [at, auth] of ways.entries()) {
      await using lender = await openLender(vault, { auth });
      await lender.leases.lend('db', { session: 's' });
      // What Vault is shown is masked, whoever else prints it, and so is its token.
      expect([...lender.values]).toContain(proofs[at]);
      expect([...lender.values].some((told) => told.startsWith('hvs.'))).toBe(true);
      expect(await vault.leases('database/creds/ro')).toHaveLength(1);
      await lender.leases.close();
      expect(await vault.leases('database/creds/ro')).toEqual([]);
    }
    const lookedUp = await vault.api('POST', 'auth/token/lookup', { token: given.auth?.client_token });
    expect(lookedUp.status).toBe(200);
  });

  test('who is not let in hears why, and what a role may not do stays undone', async () => {
    await using stranger = await openLender(vault, { auth: { kind: 'tokenFile', file: '/nonexistent' } });
    await expect(stranger.leases.lend('db', { session: 's' })).rejects.toThrow(
      'the file that tells Vault who we are cannot be read',
    );
    const kv = { mount: 'kv', path: 'x' };
    await using other = await openLender(vault, {
      credentials: [{ name: 'db', scope: 'Pod', source: { vault: { role: 'none', engine: { kv } } } }],
    });
    await expect(other.leases.lend('db', { session: 's' })).rejects.toThrow('Vault refuses (status 400)');
    await using lender = await openLender(vault, {
      credentials: [fromVault('forbidden', { read: { path: 'sys/policies/acl/mcp' } })],
    });
    await expect(lender.leases.lend('forbidden', { session: 's' })).rejects.toThrow('policy does not allow');
  });
});
