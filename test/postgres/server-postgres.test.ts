/** The published MCP server for PostgreSQL, unchanged: the URL that it is given as its argument leads to the egress. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { expect, test } from 'vitest';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { openDoor } from '../fixtures/database-door.ts';
import { startPostgres, whyNoPostgres } from '../fixtures/postgres.ts';
import { publishedScript } from '../fixtures/servers.ts';

describeUnless(whyNoPostgres(), '@modelcontextprotocol/server-postgres', () => {
  test('queries as the user of whoever calls, and is refused what a rule denies', async () => {
    await using postgres = await startPostgres();
    await postgres.query(
      "CREATE TABLE t (n int); INSERT INTO t VALUES (1); CREATE ROLE of_a LOGIN PASSWORD 'a-1234567890'; CREATE ROLE of_b LOGIN PASSWORD 'b-1234567890'; GRANT SELECT ON t TO of_a, of_b",
    );
    await using door = await openDoor(postgres, {
      login: (owner) => ({ user: `of_${owner}`, password: `${owner}-1234567890` }),
      judge: (sql) => (/pg_sleep/i.test(sql) ? 'Rule tools/no-sleep denies this statement.' : undefined),
    });
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [publishedScript('server-postgres'), door.url()],
        stderr: 'ignore',
      }),
    );
    const query = async (sql: string): Promise<string> =>
      JSON.stringify(await client.callTool({ name: 'query', arguments: { sql } }));
    for (const session of ['a', 'b', 'a']) {
      door.setOwner({ whose: { session }, call: undefined });
      expect(await query('SELECT session_user AS who, n FROM t')).toContain(`of_${session}`);
    }
    await expect(query('SELECT pg_sleep(0)')).rejects.toThrow('no-sleep');
    await expect(query('DROP TABLE t')).rejects.toThrow('read-only');
    expect((await client.listResources()).resources.map(({ name }) => name)).toContain('"t" database schema');
    await client.close();
    expect(door.events.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'BEGIN TRANSACTION READ ONLY',
        'SELECT session_user AS who, n FROM t',
        'ROLLBACK',
      ]),
    );
  });
});
