/** Whose session of the database works for a connection, when callers take turns on the same connections. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import postgresjs from 'postgres';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { openDoor, type Door } from '../fixtures/database-door.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { errorIn, statusIn, valuesIn, wire, WireClient } from '../fixtures/wire-client.ts';

describeUnless(whyNoPostgres(), 'sessions of a database and callers', () => {
  let postgres: Postgres;
  let door: Door;
  const passwords = { a: 'first-of-a-0123456789', b: 'only-of-b-0123456789' };
  beforeAll(async () => {
    postgres = await startPostgres();
    for (const [name, password] of Object.entries(passwords))
      await postgres.query(`CREATE ROLE of_${name} LOGIN PASSWORD '${password}'`);
    await postgres.query('CREATE TABLE t (n int); GRANT ALL ON t TO PUBLIC');
    door = await openDoor(postgres, { login });
  });
  afterAll(async () => {
    await door.listener.close();
    await postgres[Symbol.asyncDispose]();
  });

  function login(owner: string): { user: string; password: string } {
    return owner === 'a' ? { user: 'of_a', password: passwords.a } : { user: 'of_b', password: passwords.b };
  }

  const calls = (session: string | undefined): void =>
    door.setOwner(session === undefined ? undefined : { whose: { session }, call: undefined });
  const WHO = 'SELECT session_user::text AS who';

  async function ask(client: WireClient, ...messages: readonly Buffer[]) {
    client.send(...messages);
    return client.until('Z');
  }

  test('a pooled connection works under the lease of whoever calls', async () => {
    const pool = new pg.Pool({ connectionString: door.url(), max: 1 });
    for (const session of ['a', 'b', 'b', 'a']) {
      calls(session);
      expect((await pool.query(WHO)).rows).toEqual([{ who: `of_${session}` }]);
    }
    await pool.end();
  });

  test('prepared statements and settings go along', async () => {
    calls('a');
    const sql = postgresjs(door.url(), { max: 1 });
    await sql`SET statement_timeout = '77s'`;
    expect(await sql`SELECT session_user::text AS who, ${'x'}::text AS x`).toEqual([{ who: 'of_a', x: 'x' }]);
    calls('b');
    expect(await sql`SELECT session_user::text AS who, ${'x'}::text AS x`).toEqual([{ who: 'of_b', x: 'x' }]);
    expect(await sql`SHOW statement_timeout`).toEqual([{ statement_timeout: '77s' }]);
    await sql.end();
  });

  test.each([
    ['SELECT pg_advisory_lock(7)'],
    ['CREATE TEMP TABLE mine (n int)'],
    ['PREPARE p AS SELECT 1'],
    ['LISTEN x'],
    ['DECLARE c CURSOR WITH HOLD FOR SELECT 1'],
    ["SELECT set_config('a.b', 'c', false)"],
  ])('a connection that did %s is not handed on', async (statement) => {
    calls('a');
    using client = await WireClient.open(door.port);
    expect(errorIn(await ask(client, wire.query(statement)))).toBeUndefined();
    calls('b');
    client.send(wire.query(WHO));
    expect(errorIn(await client.until('Z'))?.code).toBe('57P01');
    await client.over();
  });

  test('after DISCARD ALL it is', async () => {
    calls('a');
    using client = await WireClient.open(door.port);
    await ask(client, wire.query('SELECT pg_advisory_lock(8)'));
    await ask(client, wire.query('DISCARD ALL'));
    calls('b');
    expect(valuesIn(await ask(client, wire.query(WHO)))).toEqual(['of_b']);
  });

  test('an open transaction of one caller ends for another one, and does nothing more', async () => {
    calls('a');
    using client = await WireClient.open(door.port);
    await ask(client, wire.query('BEGIN'));
    await ask(client, wire.query('INSERT INTO t VALUES (1)'));
    calls('b');
    expect(statusIn(await ask(client, wire.query('ROLLBACK')))).toBe('I');
    expect(valuesIn(await ask(client, wire.query(WHO)))).toEqual(['of_b']);

    calls('a');
    using other = await WireClient.open(door.port);
    await ask(other, wire.query('BEGIN'));
    await ask(other, wire.query('INSERT INTO t VALUES (2)'));
    calls('b');
    other.send(wire.query('INSERT INTO t VALUES (3)'));
    expect(errorIn(await other.until('Z'))?.code).toBe('57P01');
    await other.over();
    expect(await postgres.query('SELECT count(*) FROM t')).toBe('0');
  });

  test('COMMIT AND CHAIN does not keep a transaction of another caller going', async () => {
    calls('a');
    using client = await WireClient.open(door.port);
    await ask(client, wire.query('BEGIN'));
    calls('b');
    client.send(wire.query('COMMIT AND CHAIN'));
    expect(errorIn(await client.until('Z'))?.code).toBe('57P01');
  });

  test('while nobody is known to call, nothing is said, and afterwards it goes on', async () => {
    calls('a');
    using client = await WireClient.open(door.port);
    calls(undefined);
    const refused = await ask(client, wire.query('SELECT 1'));
    expect(errorIn(refused)).toEqual({ code: '28000', text: 'Nobody knows whose call this is.' });
    expect(statusIn(refused)).toBe('I');
    const batch = await ask(client, wire.parse('SELECT 1'), wire.bind(), wire.execute(), wire.sync());
    expect(batch.map(({ type }) => type).join('')).toBe('EZ');
    calls('a');
    expect(valuesIn(await ask(client, wire.query(WHO)))).toEqual(['of_a']);
  });

  test('a ROLLBACK that comes after the call has ended still ends its transaction', async () => {
    calls('a');
    using client = await WireClient.open(door.port);
    await ask(client, wire.query('BEGIN'));
    calls(undefined);
    expect(statusIn(await ask(client, wire.query('ROLLBACK')))).toBe('I');
  });

  test('a session that rests is closed when another caller comes, and when its work is over', async () => {
    calls('a');
    const mine = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'of_a'";
    await expect.poll(() => postgres.query(mine), { timeout: 30_000 }).toBe('0');
    using client = await WireClient.open(door.port);
    expect(await postgres.query(mine)).toBe('1');
    calls('b');
    await expect.poll(() => postgres.query(mine), { timeout: 30_000 }).toBe('0');
    calls('a');
    expect(valuesIn(await ask(client, wire.query(WHO)))).toEqual(['of_a']);
    door.listener.forget({ session: 'a' });
    await expect.poll(() => postgres.query(mine), { timeout: 30_000 }).toBe('0');
  });

  test('pipelined work of one caller is answered before the next one begins', async () => {
    calls('a');
    using client = await WireClient.open(door.port);
    client.send(wire.query('SELECT pg_sleep(0.3)'), wire.query(WHO));
    client.send(wire.query(WHO));
    const first = await client.until('Z');
    expect(errorIn(first)).toBeUndefined();
    calls('b');
    client.send(wire.query(WHO));
    for (const who of ['of_a', 'of_a', 'of_b']) expect(valuesIn(await client.until('Z'))).toEqual([who]);
  });

  test('the database starts again, and connections that rested go on', async () => {
    calls('a');
    using client = await WireClient.open(door.port);
    await postgres.stop();
    await postgres.start();
    expect(valuesIn(await ask(client, wire.query(WHO)))).toEqual(['of_a']);
  });
});

describeUnless(whyNoPostgres(), 'a login that the database refuses', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.query("CREATE ROLE good LOGIN PASSWORD 'good-password-123'");
  });
  afterAll(() => postgres[Symbol.asyncDispose]());

  test('is tried once more with another lease', async () => {
    await using door = await openDoor(postgres, {
      login: (_, time) => ({ user: 'good', password: time === 1 ? 'revoked-123456' : 'good-password-123' }),
    });
    using client = await WireClient.open(door.port);
    client.send(wire.query('SELECT session_user::text'));
    expect(valuesIn(await client.until('Z'))).toEqual(['good']);
    expect(door.lent).toEqual(['a', 'a']);
  });

  test('twice is told to the client, without the name or the password', async () => {
    await using door = await openDoor(postgres, {
      login: () => ({ user: 'never-there', password: 'wrong-123456789' }),
    });
    const client = new pg.Client({ connectionString: door.url() });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
    expect(door.lent).toEqual(['a', 'a']);
  });

  test('is none where the database is away, or is somebody else', async () => {
    await using stranger = await startPostgres();
    await using other = await openDoor(postgres, { caBundle: stranger.ca });
    await expect(new pg.Client({ connectionString: other.url() }).connect()).rejects.toThrow(
      'could not show by TLS that it is 127.0.0.1',
    );
    await using door = await openDoor(stranger);
    await stranger.stop();
    await expect(new pg.Client({ connectionString: door.url() }).connect()).rejects.toThrow(
      'cannot be reached',
    );
  });
});
