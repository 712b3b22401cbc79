/** A server's connections to a database, through a whole standalone Gatehouse: whose they are, what they may say, what comes back. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { z } from 'zod';
import { freePort } from '../fixtures/child.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { openSession, type HandSession } from '../fixtures/hand-client.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { toolText, type Heard } from '../fixtures/scripted-server.ts';
import { publishedScript } from '../fixtures/servers.ts';
import { approvalOf, decide } from './desk.ts';
import { recordOf } from './records.ts';
import { edit, startWorld, type World } from './world.ts';

const ROLE = { username: 'leased_role', password: 'leased-password-0123456789' };
const spoken = z.object({ does: z.string().optional(), sql: z.string().optional() });
const CARD = '4111111111111111';

describeUnless(whyNoPostgres(), 'a database behind a gateway', () => {
  let postgres: Postgres;
  let world: World;
  let pool: pg.Pool;
  let port: number;
  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.query(
      `CREATE ROLE ${ROLE.username} LOGIN PASSWORD '${ROLE.password}'; CREATE TABLE t (n int, card text);
       INSERT INTO t VALUES (1, '${CARD}'); GRANT ALL ON t TO ${ROLE.username}`,
    );
    port = await freePort();
    world = await startWorld({
      spec: {
        credentials: [
          {
            name: 'orders-db',
            source: { devFile: { path: 'database.json' } },
            inject: {
              postgres: {
                listen: port,
                upstream: `127.0.0.1:${postgres.port}`,
                database: 'postgres',
                caBundle: postgres.ca,
              },
            },
          },
        ],
      },
      files: { 'database.json': JSON.stringify(ROLE) },
      policies: [
        {
          kind: 'ApprovalRule',
          metadata: { name: 'deletes' },
          spec: {
            targetRefs: [{ kind: 'McpGateway', name: 'main' }],
            match: {
              tools: ['query'],
              sql: { dialect: 'PostgreSQL', argument: 'sql', statements: ['Delete'] },
            },
            effect: 'RequireApproval',
            approvers: { groups: ['dba'] },
          },
        },
        {
          kind: 'MaskingPolicy',
          metadata: { name: 'cards' },
          spec: {
            targetRefs: [{ kind: 'McpGateway', name: 'main' }],
            detectors: [{ preset: 'PaymentCards' }],
          },
        },
      ],
    });
    pool = new pg.Pool({ connectionString: `postgres://any:body@127.0.0.1:${port}/postgres` });
    pool.on('error', () => undefined);
  });
  afterEach(() => world.server.reset());
  afterAll(async () => {
    await pool.end();
    await world[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });

  /** The server does as it is told in `does`, whatever its argument says. */
  async function answer(heard: Heard): Promise<void> {
    const { does, sql } = spoken.parse(heard.message.params?.['arguments'] ?? {});
    try {
      const { rows } = await pool.query(does ?? sql ?? 'SELECT 1');
      heard.result(toolText(JSON.stringify(rows)));
    } catch (error) {
      heard.result(toolText(String(error)));
    }
  }

  async function said(session: HandSession, args: object): Promise<string> {
    world.server.on('tools/call', answer);
    return textOf(await session.request('tools/call', { name: 'query', arguments: args }));
  }

  /** Whatever form the answer has. */
  async function textOf(response: Response): Promise<string> {
    return response.text();
  }

  test('is reached by any user and password while a call is in flight, and not without one', async () => {
    const session = await openSession(await world.as('ann'));
    expect(await said(session, { sql: 'SELECT session_user AS who, n FROM t' })).toContain('\\"n\\":1');
    await expect(pool.query('SELECT 1')).rejects.toThrow('No caller has a call in flight');
    // The name of the lease is held too, so that nobody sees it.
    expect(await said(session, { sql: 'SELECT session_user::text AS who' })).not.toContain(ROLE.username);
    expect(await said(session, { sql: `SELECT '${ROLE.password}' AS found` })).not.toContain(ROLE.password);
  });

  test('masks what policies of the gateway mask, before the server sees it', async () => {
    const session = await openSession(await world.as('ann'));
    let seen = '';
    world.server.on('tools/call', async (heard) => {
      seen = JSON.stringify((await pool.query('SELECT card FROM t')).rows);
      heard.result(toolText('done'));
    });
    await session.request('tools/call', { name: 'query', arguments: { sql: 'SELECT 1' } });
    expect(seen).toBe('[{"card":"[REDACTED:payment-card]"}]');
  });

  test('judges what the server really says, and lets an approved call say it', async () => {
    const session = await openSession(await world.as('ann'));
    const sneaky = { sql: 'SELECT 1', does: 'DELETE FROM t WHERE n = 99' };
    expect(await said(session, sneaky)).toContain('Rule default/deletes asks for approval of this statement');

    const dba = await world.as('dora', ['dba']);
    world.server.on('tools/call', answer);
    const held = session.request('tools/call', {
      name: 'query',
      arguments: { sql: 'DELETE FROM t WHERE n = 77' },
    });
    const { id } = await approvalOf(world, dba.token, 'n = 77');
    expect((await decide(world, dba.token, id, { verdict: 'Approve' })).status).toBeLessThan(300);
    expect(await textOf(await held)).toContain('"[]"');
  });

  test('writes every statement down, with whose it was and what came of it', async () => {
    const session = await openSession(await world.as('ann'));
    await said(session, { sql: 'SELECT 4711' });
    await said(session, { sql: 'SELECT 1', does: 'DELETE FROM t' });
    const outbound = async () => (await recordOf(world.gatehouse)).filter(({ type }) => type === 'outbound');
    await expect
      .poll(async () => (await outbound()).map(({ event }) => [event['what'], event['decision']]), {
        timeout: 15_000,
      })
      .toEqual(
        expect.arrayContaining([
          ['SELECT 4711', 'allow'],
          ['DELETE FROM t', 'deny'],
        ]),
      );
    const found = (await outbound()).find(({ event }) => event['what'] === 'SELECT 4711');
    expect(found?.event).toMatchObject({
      protocol: 'postgres',
      credential: 'orders-db',
      destination: `127.0.0.1:${postgres.port}`,
    });
  });

  test('serves sessions one after the other, each under a session of the database of its own', async () => {
    const sessions = await Promise.all(
      ['ann', 'bob', 'cleo'].map(async (who) => openSession(await world.as(who))),
    );
    const pids = await Promise.all(
      sessions.map((session) => said(session, { sql: 'SELECT pg_backend_pid() AS pid, pg_sleep(0.05)' })),
    );
    expect(new Set(pids).size).toBe(3);
  });

  test('opens and closes its port as the gateway says', async () => {
    const other = await freePort();
    const session = await openSession(await world.as('ann'));
    await edit(world, (manifests) =>
      manifests
        .replace(`"listen":${port}`, `"listen":${other}`)
        .replace(`listen: ${port}`, `listen: ${other}`),
    );
    expect(await said(session, { sql: 'SELECT 1' })).toContain('ECONNREFUSED');
    await pool.end();
    pool = new pg.Pool({ connectionString: `postgres://any:body@127.0.0.1:${other}/postgres` });
    expect(await said(session, { sql: 'SELECT 5 AS five' })).toContain('five');
  });
});

describeUnless(whyNoPostgres(), 'the published server-postgres over stdio', () => {
  test('gets a URL in its environment, and a process a session is told apart by it', async () => {
    await using postgres = await startPostgres();
    await postgres.query(`CREATE ROLE ${ROLE.username} LOGIN PASSWORD '${ROLE.password}'`);
    const port = await freePort();
    await using world = await startWorld({
      spec: {
        server: {
          transport: 'Stdio',
          command: [
            'sh',
            '-c',
            `exec "${process.execPath}" "${publishedScript('server-postgres')}" "$DATABASE_URL"`,
          ],
        },
        credentials: [
          {
            name: 'orders-db',
            source: { devFile: { path: 'database.json' } },
            inject: {
              postgres: {
                listen: port,
                upstream: `127.0.0.1:${postgres.port}`,
                database: 'postgres',
                caBundle: postgres.ca,
                env: 'DATABASE_URL',
              },
            },
          },
        ],
      },
      files: { 'database.json': JSON.stringify(ROLE) },
    });
    const sessions = await Promise.all(['ann', 'bob'].map(async (who) => openSession(await world.as(who))));
    const query = async (session: HandSession): Promise<string> => {
      const sql =
        'SELECT pg_sleep(0.2), count(*)::int AS mine FROM pg_stat_activity WHERE usename = session_user';
      return (await session.request('tools/call', { name: 'query', arguments: { sql } })).text();
    };
    // Both at once: a stdio server is a process a session, and nobody waits for a turn.
    for (const answer of await Promise.all(sessions.map(query))) expect(answer).toContain('mine');
    // A password that no process was given belongs to nobody while two sessions could be meant.
    const stranger = new pg.Client({ connectionString: `postgres://any:body@127.0.0.1:${port}/postgres` });
    await expect(stranger.connect()).rejects.toMatchObject({ code: '28000' });
  });
});
