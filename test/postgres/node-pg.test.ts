import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { openDoor, type Door } from '../fixtures/database-door.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';

describeUnless(whyNoPostgres(), 'node pg through the Postgres egress', () => {
  let postgres: Postgres;
  let door: Door;
  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.query('CREATE TABLE t (n int, s text)');
    door = await openDoor(postgres);
  });
  afterAll(async () => {
    await door.listener.close();
    await postgres[Symbol.asyncDispose]();
  });

  async function connected(config: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: door.url(), ...config });
    await client.connect();
    return client;
  }

  test('queries, simple and extended, with TLS and without', async () => {
    for (const ssl of [false, { ca: door.ca, servername: 'localhost' }]) {
      const client = await connected({ ssl });
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      expect((await client.query('SELECT $1::int + 1 AS two', [1])).rows).toEqual([{ two: 2 }]);
      expect(await client.query('SELECT 1 AS a; SELECT 2 AS b')).toMatchObject([
        { rows: [{ a: 1 }] },
        { rows: [{ b: 2 }] },
      ]);
      await client.end();
    }
  });

  test('a named statement, many times', async () => {
    const client = await connected();
    for (const n of [1, 2, 3]) {
      const { rows } = await client.query({ name: 'twice', text: 'SELECT $1::int * 2 AS n', values: [n] });
      expect(rows).toEqual([{ n: n * 2 }]);
    }
    await client.end();
  });

  test('binary results', async () => {
    const client = await connected();
    const query = { text: "SELECT 7 AS n, 'x'::text AS s", values: [], binary: true };
    expect((await client.query(query)).rows).toEqual([{ n: 7, s: 'x' }]);
    await client.end();
  });

  test('an error of the database, and what comes after it', async () => {
    const client = await connected();
    await expect(client.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
    await expect(client.query('SELECT $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  test('COPY in and out', async () => {
    const client = await connected();
    const lines = Array.from({ length: 5_000 }, (_, n) => `${n}\tline ${n}\n`);
    await pipeline(Readable.from(lines), client.query(copyFrom('COPY t FROM STDIN')));
    expect(await text(client.query(copyTo('COPY (SELECT * FROM t ORDER BY n) TO STDOUT')))).toBe(
      lines.join(''),
    );
    await expect(
      pipeline(Readable.from(['no number\tx\n']), client.query(copyFrom('COPY t FROM STDIN'))),
    ).rejects.toMatchObject({ code: '22P02' });
    expect((await client.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 5_000 }]);
    await client.end();
  });

  test('LISTEN and NOTIFY', async () => {
    const client = await connected();
    const heard = new Promise<pg.Notification>((resolve) => client.once('notification', resolve));
    await client.query('LISTEN news');
    await postgres.query("NOTIFY news, 'hello'");
    expect(await heard).toMatchObject({ channel: 'news', payload: 'hello' });
    await client.end();
  });

  test('a transaction that is rolled back', async () => {
    const client = await connected();
    await client.query('BEGIN');
    await client.query('CREATE TABLE gone (n int)');
    await client.query('ROLLBACK');
    await expect(client.query('SELECT * FROM gone')).rejects.toMatchObject({ code: '42P01' });
    await client.end();
  });

  test('a large result, as it comes', async () => {
    const client = await connected();
    const { rows } = await client.query<{ s: string }>(
      "SELECT repeat('y', 1000) AS s FROM generate_series(1, 20000)",
    );
    expect(rows.length).toBe(20_000);
    expect(rows.every(({ s }) => s.length === 1000)).toBe(true);
    const long = await client.query<{ s: string }>("SELECT repeat('z', 30000000) AS s");
    expect(long.rows[0]?.s.length).toBe(30_000_000);
    await client.end();
  });

  test('a parameter of many megabytes', async () => {
    const client = await connected();
    const { rows } = await client.query('SELECT length($1::text) AS n', ['p'.repeat(20_000_000)]);
    expect(rows).toEqual([{ n: 20_000_000 }]);
    await client.end();
  });

  test('a value that the proxy holds does not come back, also in a row that is too long to be kept', async () => {
    const client = await connected();
    const secret = postgres.superuser.password;
    const { rows } = await client.query<{ s: string }>('SELECT $1::text AS s, 1 AS n', [secret]);
    expect(rows).toEqual([{ s: '*'.repeat(secret.length), n: 1 }]);
    for (const before of [100, 65_500, 1_000_000, 5_000_001]) {
      const long = await client.query<{ s: string }>(
        'SELECT repeat($1, $2) || $3 || repeat($1, 90000) AS s',
        ['a', before, secret],
      );
      const found = long.rows[0]?.s ?? '';
      expect(found.length).toBe(before + secret.length + 90_000);
      expect(found).not.toContain(secret);
      expect(found).toContain('*'.repeat(secret.length));
    }
    await expect(client.query(`SELECT 1/0 AS "${secret}"`)).rejects.toThrow('division by zero');
    await expect(client.query(`SELECT "${secret}"`)).rejects.not.toThrow(secret);
    await client.end();
  });
});
