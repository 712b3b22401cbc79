/** Drivers that others wrote, in three languages, through the Postgres egress. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import postgresjs from 'postgres';
import { databaseClients, jdbcJar, missingSentence, pythonPath } from '../../hack/tools/parts.ts';
import { run } from '../../hack/tools/run.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { openDoor, type Door } from '../fixtures/database-door.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';

const program = (name: string): string => join(import.meta.dirname, 'clients', name);
/** A Java compiler on a machine that does much else. */
const SLOW = 170_000;

describeUnless(
  whyNoPostgres() ?? missingSentence([databaseClients]),
  'drivers through the Postgres egress',
  () => {
    let postgres: Postgres;
    let door: Door;
    beforeAll(async () => {
      postgres = await startPostgres();
      door = await openDoor(postgres, {
        judge: (sql) =>
          /\bdelete\b/i.test(sql) ? 'Rule tools/no-deletes denies this statement.' : undefined,
      });
    });
    afterAll(async () => {
      await door.listener.close();
      await postgres[Symbol.asyncDispose]();
    });

    test('psycopg 3', async () => {
      const said = await run('python3', [program('with_psycopg.py'), door.url()], {
        env: { PYTHONPATH: pythonPath() },
        timeout: SLOW,
      });
      expect(JSON.parse(said)).toEqual({
        simple: 1,
        extended: 2,
        binary: [7, 'x', [1, 2]],
        prepared: 190,
        pipeline: [0, 1, 2, 3, 4],
        copied: 499_500,
        cursor: 5_050,
        denied: 'Rule tools/no-deletes denies this statement.',
        after: 1_000,
        cancelled: true,
        heard: 'hello',
      });
    });

    test('JDBC', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'gatehouse-jdbc-'));
      try {
        await run('javac', ['-cp', jdbcJar(), '-d', directory, program('WithJdbc.java')], { timeout: SLOW });
        const url = `jdbc:postgresql://127.0.0.1:${door.port}/postgres?user=any&password=body`;
        const said = await run('java', ['-cp', `${jdbcJar()}:${directory}`, 'WithJdbc', url], {
          timeout: SLOW,
        });
        expect(
          Object.fromEntries(
            said
              .trim()
              .split('\n')
              .map((line) => line.split('=')),
          ),
        ).toEqual({
          simple: '1',
          prepared: '132',
          batch: '500',
          copied: '2',
          fetched: '777',
          denied: '42501',
          after: '502',
          cancelled: '57014',
          'large object': '42501',
        });
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });

    test('postgres.js', async () => {
      const sql = postgresjs(door.url(), { max: 1 });
      expect(await sql`SELECT ${1}::int AS n`).toEqual([{ n: 1 }]);
      const many = await Promise.all(Array.from({ length: 20 }, (_, n) => sql`SELECT ${n}::int AS n`));
      expect(many.map(([row]) => Number(row?.['n']))).toEqual(Array.from({ length: 20 }, (_, n) => n));
      const rows: number[] = [];
      for await (const part of sql`SELECT generate_series(1, 100) AS n`.cursor(7))
        rows.push(...part.map(({ n }) => Number(n)));
      expect(rows.length).toBe(100);
      await expect(sql`DELETE FROM t`).rejects.toMatchObject({ code: '42501' });
      await expect(
        sql.begin(async (transaction) => {
          await transaction`SELECT 1`;
          await transaction`DELETE FROM t`;
        }),
      ).rejects.toMatchObject({ code: '42501' });
      const long = sql`SELECT count(*) FROM generate_series(1, 10000000000)`.execute();
      const cancelled = expect(long).rejects.toMatchObject({ code: '57014' });
      const running =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%10000000000%' AND state = 'active' AND pid <> pg_backend_pid()";
      await expect.poll(() => postgres.query(running), { timeout: 30_000 }).toBe('1');
      long.cancel();
      await cancelled;
      expect(await sql`SELECT 2 AS n`).toEqual([{ n: 2 }]);
      await sql.end();
    });
  },
  2 * SLOW,
);
