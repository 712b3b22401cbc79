/** What a masking policy hides in what a database sends, whatever way it comes. */
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { MaskPolicy } from '../../crds/bundle.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { openDoor, type Door } from '../fixtures/database-door.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { errorIn, shapeOf, statusIn, valuesIn, wire, WireClient } from '../fixtures/wire-client.ts';
import { maskPolicy } from '../fixtures/mask-policy.ts';

const policy = (part: Partial<MaskPolicy>): MaskPolicy => maskPolicy({ name: 'tools/people', ...part });

const detecting = policy({
  detectors: [
    { preset: 'PaymentCards' },
    { name: 'employee', pattern: 'E-[0-9]{6}' },
    { name: 'digits', pattern: '777[0-9]{6}' },
  ],
});
const naming = policy({
  fields: [{ columns: ['ssn'] }, { jsonPath: '$.rows[*].pin' }, { keys: ['apiKey'] }],
});

const CARD = '4111111111111111';

describeUnless(whyNoPostgres(), 'results of a database under masking policies', () => {
  let postgres: Postgres;
  let door: Door;
  let named: Door;
  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.query(`
      CREATE TYPE mood AS ENUM ('fine', 'E-123456');
      CREATE TYPE pair AS (a text, b int);
      CREATE TABLE people (id int, name text, ssn bigint, pin text, api_key varchar(40), card text);
      INSERT INTO people SELECT n, 'name ' || n, 100000000 + n, 'pin' || n, 'key' || n, CASE n % 100 WHEN 7 THEN '${CARD}' ELSE 'none' END
        FROM generate_series(1, 1000) AS n`);
    door = await openDoor(postgres, { policies: [detecting] });
    named = await openDoor(postgres, { policies: [naming] });
  });
  afterAll(async () => {
    await door.listener.close();
    await named.listener.close();
    await postgres[Symbol.asyncDispose]();
  });

  async function ask(client: WireClient, ...messages: readonly Buffer[]) {
    client.send(...messages);
    return client.until('Z');
  }

  /** The first column, asked for in all the ways in which a client can. */
  async function everyWay(port: number, sql: string) {
    using client = await WireClient.open(port);
    const extended = (format: number) => [wire.bind('', '', format), wire.execute(), wire.sync()];
    return {
      simple: await ask(client, wire.query(sql)),
      text: await ask(client, wire.parse(sql), ...extended(0)),
      described: await ask(
        client,
        wire.parse(sql),
        wire.describe('S'),
        wire.bind(),
        wire.describe(),
        wire.execute(),
        wire.sync(),
      ),
      binary: await ask(client, wire.parse(sql), ...extended(1)),
    };
  }

  test.each([
    [`SELECT 'card ${CARD} of E-123456'`, 'card [REDACTED:payment-card] of [REDACTED:employee]'],
    ["SELECT 'E-123456'::varchar", '[REDACTED:employee]'],
    ["SELECT 'E-123456'::bpchar(8)", '[REDACTED:employee]'],
    ["SELECT 'E-123456'::mood", '[REDACTED:employee]'],
    [
      `SELECT '{"a": "E-123456", "n": 9007199254740993}'::json`,
      '{"a": "[REDACTED:employee]", "n": 9007199254740993}',
    ],
    ["SELECT encode('the employee is E-123456'::bytea, 'base64')", '[REDACTED:employee]'],
  ])('%s is %s', async (sql, expected) => {
    for (const messages of Object.values(await everyWay(door.port, sql)))
      expect(valuesIn(messages)).toEqual([expected]);
  });

  test('structured values are masked in the form that their type has', async () => {
    const client = new pg.Client({ connectionString: door.url() });
    await client.connect();
    for (const binary of [false, true]) {
      const sql = `SELECT '{"k":["E-123456"]}'::jsonb AS j, ARRAY['a', 'E-123456'] AS list, 'E-123456'::bytea AS bytes, 5 AS n`;
      const query = { text: sql, values: [], binary };
      const { rows } = await client.query(query);
      expect(JSON.stringify(rows[0])).not.toContain('E-123456');
      expect(rows[0]).toMatchObject({ n: 5 });
      if (!binary)
        expect(rows[0]).toMatchObject({
          j: { k: ['[REDACTED:employee]'] },
          bytes: Buffer.from('[REDACTED:employee]'),
        });
    }
    await client.end();
  });

  test.each([
    ['SELECT 777123456::int'],
    ['SELECT 777123456::bigint'],
    ['SELECT 777123456.5::numeric'],
    ['SELECT ARRAY[777123456]'],
  ])('%s is withheld, because a number cannot hold a mask', async (sql) => {
    for (const messages of Object.values(await everyWay(door.port, sql))) {
      expect(valuesIn(messages)).toEqual([]);
      expect(shapeOf(messages)).toMatch(/^1?t?T?2?T?EZ$/);
      expect(errorIn(messages)?.text).toContain('cannot hold a mask');
      expect(statusIn(messages)).toBe('I');
    }
  });

  test('a binary value that nobody can read is refused, and its text is masked', async () => {
    const { simple, text: asText, binary } = await everyWay(door.port, "SELECT ROW('E-123456', 1)::pair");
    for (const messages of [simple, asText]) expect(valuesIn(messages)).toEqual(['([REDACTED:employee],1)']);
    expect(errorIn(binary)?.text).toContain('cannot be examined');
  });

  test('dates, booleans and nulls pass in both formats', async () => {
    const sql =
      "SELECT NULL::text, true, now(), DATE '2020-01-01', '1 day'::interval, 1.5::float8, '3f2504e0-4f89-41d3-9a0c-0305e82c3301'::uuid, point '(1,2)'";
    for (const messages of Object.values(await everyWay(door.port, sql))) {
      expect(errorIn(messages)).toBeUndefined();
      expect(valuesIn(messages)).toEqual([null]);
    }
  });

  test('of many rows those that hold something are masked, and the others stay as they are', async () => {
    using client = await WireClient.open(door.port);
    const cards = valuesIn(await ask(client, wire.query('SELECT card FROM people ORDER BY id')));
    expect(cards.length).toBe(1000);
    expect(cards.filter((card) => card === '[REDACTED:payment-card]').length).toBe(10);
    expect(cards.filter((card) => card === 'none').length).toBe(990);
  });

  test('columns are masked by name, in any type, and told as text', async () => {
    for (const [way, messages] of Object.entries(
      await everyWay(named.port, 'SELECT ssn, id, pin, api_key AS "apiKey" FROM people WHERE id = 3'),
    )) {
      const [row] = messages.filter(({ type }) => type === 'D');
      const cells = row?.body.toString('latin1') ?? '';
      expect(cells, way).toContain('[REDACTED:column:ssn]');
      expect(cells, way).toContain('[REDACTED:path:$.rows[*].pin]');
      expect(cells, way).toContain('[REDACTED:key:apiKey]');
      expect(cells, way).not.toMatch(/100000003|pin3|key3/);
    }
    const client = new pg.Client({ connectionString: named.url() });
    await client.connect();
    const { rows, fields } = await client.query('SELECT ssn, id FROM people WHERE id = 3');
    expect(rows).toEqual([{ ssn: '[REDACTED:column:ssn]', id: 3 }]);
    expect(fields.map(({ dataTypeID }) => dataTypeID)).toEqual([25, 23]);
    await client.end();
  });

  test('a column that stands twice is masked twice', async () => {
    using client = await WireClient.open(named.port);
    const messages = await ask(client, wire.query('SELECT pin, pin, ssn, ssn FROM people WHERE id = 5'));
    const cells = messages.find(({ type }) => type === 'D')?.body.toString('latin1') ?? '';
    expect(cells.match(/REDACTED:path/g)?.length).toBe(2);
    expect(cells.match(/REDACTED:column/g)?.length).toBe(2);
    expect(cells).not.toMatch(/pin5|100000005/);
  });

  test('a prepared statement that is never described again is masked each time', async () => {
    using client = await WireClient.open(named.port);
    await ask(
      client,
      wire.parse('SELECT ssn FROM people WHERE id = 9', 's'),
      wire.describe('S', 's'),
      wire.sync(),
    );
    for (let time = 0; time < 3; time += 1) {
      const messages = await ask(client, wire.bind('s', '', 1), wire.execute(), wire.sync());
      expect(shapeOf(messages)).toBe('2DCZ');
      expect(valuesIn(messages)).toEqual(['[REDACTED:column:ssn]']);
    }
  });

  test('a binary cursor is masked', async () => {
    using client = await WireClient.open(door.port);
    await ask(client, wire.query('BEGIN'));
    await ask(client, wire.query("DECLARE c BINARY CURSOR FOR SELECT 'E-123456'"));
    expect(valuesIn(await ask(client, wire.query('FETCH c')))).toEqual(['[REDACTED:employee]']);
  });

  test('COPY is masked as text, refused in binary, and refused where columns have names that matter', async () => {
    const client = new pg.Client({ connectionString: door.url() });
    await client.connect();
    const out = await text(
      client.query(
        copyTo('COPY (SELECT id, card FROM people WHERE id < 9 ORDER BY id) TO STDOUT (FORMAT csv)'),
      ),
    );
    expect(out).toContain('7,[REDACTED:payment-card]\n8,none\n');
    await expect(text(client.query(copyTo('COPY people TO STDOUT (FORMAT binary)')))).rejects.toThrow(
      'in binary',
    );
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    const other = new pg.Client({ connectionString: named.url() });
    await other.connect();
    await expect(text(other.query(copyTo('COPY people TO STDOUT')))).rejects.toThrow('use SELECT');
    await other.end();
  });

  test('errors, notices, notifications and names of columns are masked', async () => {
    const client = new pg.Client({ connectionString: door.url() });
    const notices: string[] = [];
    client.on('notice', ({ message }) => notices.push(message ?? ''));
    const heard = new Promise<pg.Notification>((resolve) => client.once('notification', resolve));
    await client.connect();
    await client.query("DO $$ BEGIN RAISE NOTICE 'about %', 'E-123456'; END $$");
    await client.query('LISTEN news');
    await postgres.query("NOTIFY news, 'of E-123456'");
    expect((await heard).payload).toBe('of [REDACTED:employee]');
    expect(notices).toEqual(['about [REDACTED:employee]']);
    const failure: unknown = await client
      .query("DO $$ BEGIN RAISE EXCEPTION 'no E-123456' USING DETAIL = 'E-123456', HINT = 'E-123456'; END $$")
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(pg.DatabaseError);
    expect(JSON.stringify(failure)).not.toContain('E-123456');
    const { fields } = await client.query('SELECT 1 AS "E-123456"');
    expect(fields[0]?.name).toBe('[REDACTED:employee]');
    await client.end();
  });

  test('after a result is withheld the connection goes on, also in a transaction and in a pipeline', async () => {
    using client = await WireClient.open(door.port);
    await ask(client, wire.query('BEGIN'));
    const withheld = await ask(client, wire.query('SELECT 777123456; SELECT 1'));
    expect(shapeOf(withheld)).toBe('TEZ');
    // The database itself saw no error, and its transaction goes on.
    expect(statusIn(withheld)).toBe('T');
    expect(valuesIn(await ask(client, wire.query('SELECT 2')))).toEqual(['2']);
    client.send(
      wire.parse('SELECT 777123456'),
      wire.bind(),
      wire.execute(),
      wire.parse('SELECT 3'),
      wire.bind(),
      wire.execute(),
      wire.sync(),
    );
    expect(shapeOf(await client.until('Z'))).toBe('12EZ');
    expect(valuesIn(await ask(client, wire.query('SELECT 4')))).toEqual(['4']);
  });

  test('action Block withholds the result', async () => {
    await using blocking = await openDoor(postgres, {
      policies: [policy({ ...detecting, action: 'Block' })],
    });
    using client = await WireClient.open(blocking.port);
    expect(errorIn(await ask(client, wire.query("SELECT 'E-123456'")))?.code).toBe('42501');
    expect(valuesIn(await ask(client, wire.query('SELECT 1')))).toEqual(['1']);
  });
});
