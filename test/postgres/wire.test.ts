/** What is refused on the wire to a database, how it is refused, and that everything around it goes on. */
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { openDoor, type Door } from '../fixtures/database-door.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { errorIn, shapeOf, startup, statusIn, valuesIn, wire, WireClient } from '../fixtures/wire-client.ts';
import { cstring, int16, int32, message } from '../../proxy/egress/postgres/messages.ts';

const judge = (sql: string): string | undefined =>
  /\bdelete\b/i.test(sql) ? 'Rule tools/no-deletes denies this statement.' : undefined;

describeUnless(whyNoPostgres(), 'statements on the wire', () => {
  let postgres: Postgres;
  let door: Door;
  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.query('CREATE TABLE t (n int); INSERT INTO t VALUES (1)');
    door = await openDoor(postgres, { judge });
  });
  afterAll(async () => {
    await door.listener.close();
    await postgres[Symbol.asyncDispose]();
  });
  const rows = (): Promise<string> => postgres.query('SELECT count(*) FROM t');

  async function ask(client: WireClient, ...messages: readonly Buffer[]) {
    client.send(...messages);
    return client.until('Z');
  }

  describe('a refusal', () => {
    test('of a query is an error and the true status, outside of a transaction and in one', async () => {
      using client = await WireClient.open(door.port);
      const outside = await ask(client, wire.query('DELETE FROM t'));
      expect(shapeOf(outside)).toBe('EZ');
      expect(errorIn(outside)).toEqual({
        code: '42501',
        text: 'Rule tools/no-deletes denies this statement.',
      });
      expect(statusIn(outside)).toBe('I');

      expect(statusIn(await ask(client, wire.query('BEGIN')))).toBe('T');
      // As every error of the database does, the refusal aborts the transaction, and the status says so.
      expect(statusIn(await ask(client, wire.query('DELETE FROM t')))).toBe('E');
      expect(errorIn(await ask(client, wire.query('SELECT 1')))?.code).toBe('25P02');
      expect(statusIn(await ask(client, wire.query('ROLLBACK')))).toBe('I');
      expect(valuesIn(await ask(client, wire.query('SELECT n FROM t')))).toEqual(['1']);
    });

    test('of one of many statements in a query refuses them all', async () => {
      using client = await WireClient.open(door.port);
      const answer = await ask(client, wire.query('INSERT INTO t VALUES (2); DELETE FROM t; SELECT 1'));
      expect(shapeOf(answer)).toBe('EZ');
      expect(await rows()).toBe('1');
    });

    test('in a pipeline comes after the answers before it, and what follows is skipped up to Sync', async () => {
      using client = await WireClient.open(door.port);
      client.send(
        wire.parse('SELECT n FROM t'),
        wire.bind(),
        wire.execute(),
        wire.parse('DELETE FROM t'),
        wire.bind(),
        wire.execute(),
        wire.parse('SELECT 3'),
        wire.bind(),
        wire.execute(),
        wire.sync(),
        wire.parse('SELECT 4'),
        wire.bind(),
        wire.execute(),
        wire.sync(),
      );
      const first = await client.until('Z');
      expect(shapeOf(first)).toBe('12DCEZ');
      expect(errorIn(first)?.text).toContain('no-deletes');
      const second = await client.until('Z');
      expect(shapeOf(second)).toBe('12DCZ');
      expect(valuesIn(second)).toEqual(['4']);
      expect(await rows()).toBe('1');
    });

    test('undoes what was said before it in the same batch, as an error of the database does', async () => {
      using client = await WireClient.open(door.port);
      const answer = await ask(
        client,
        wire.parse('INSERT INTO t VALUES (7)'),
        wire.bind(),
        wire.execute(),
        wire.parse('DELETE FROM t'),
        wire.sync(),
      );
      expect(shapeOf(answer)).toBe('12CEZ');
      expect(await rows()).toBe('1');
    });

    test('is one for pipelined queries too, each with its own end', async () => {
      using client = await WireClient.open(door.port);
      client.send(wire.query('SELECT 1'), wire.query('DELETE FROM t'), wire.query('SELECT 2'));
      expect(shapeOf(await client.until('Z'))).toBe('TDCZ');
      expect(shapeOf(await client.until('Z'))).toBe('EZ');
      expect(valuesIn(await client.until('Z'))).toEqual(['2']);
    });

    test('is recorded, and the statement that ran is too', async () => {
      using client = await WireClient.open(door.port);
      door.events.length = 0;
      await ask(client, wire.query('SELECT 11'));
      await ask(client, wire.parse('SELECT 12'), wire.bind(), wire.execute(), wire.sync());
      await ask(client, wire.query('DELETE FROM t'));
      await ask(client, wire.query('SELECT nonsense'));
      expect(door.events).toMatchObject([
        { what: 'SELECT 11', decision: 'allow', owner: { whose: { session: 'a' } }, credential: 'orders-db' },
        { what: 'SELECT 12', decision: 'allow' },
        { what: 'DELETE FROM t', decision: 'deny', reason: 'Rule tools/no-deletes denies this statement.' },
        { what: 'SELECT nonsense', decision: 'allow', reason: 'The database answered with error 42703.' },
      ]);
    });
  });

  describe('a prepared statement', () => {
    test('is judged under the name that it has when it runs', async () => {
      using client = await WireClient.open(door.port);
      await ask(client, wire.parse('SELECT 5', 'a'), wire.sync());
      expect(errorIn(await ask(client, wire.parse('DELETE FROM t', 'b'), wire.sync()))?.code).toBe('42501');
      expect(valuesIn(await ask(client, wire.bind('a'), wire.execute(), wire.sync()))).toEqual(['5']);
      // The name was refused, so that it stands for nothing.
      expect(errorIn(await ask(client, wire.bind('b'), wire.execute(), wire.sync()))).toBeDefined();
      expect(await rows()).toBe('1');
    });

    test('of PREPARE is judged when it is prepared, and by EXECUTE under any disguise', async () => {
      using client = await WireClient.open(door.port);
      expect(errorIn(await ask(client, wire.query('PREPARE p AS DELETE FROM t')))?.code).toBe('42501');
      await ask(client, wire.query('PREPARE q AS SELECT 6'));
      expect(valuesIn(await ask(client, wire.query('EXECUTE q')))).toEqual(['6']);
      expect(errorIn(await ask(client, wire.query('EXECUTE unknown')))?.text).toContain('not prepared');
      expect(errorIn(await ask(client, wire.query('EXPLAIN ANALYZE EXECUTE unknown')))?.code).toBe('42501');
    });

    test('whose preparation was skipped leaves what the name stood for before', async () => {
      using client = await WireClient.open(door.port);
      // The second batch is sent before it is known that the Parse in the first one was skipped.
      client.send(
        wire.parse('SELECT 1'),
        wire.sync(),
        wire.parse('broken('),
        wire.parse('SELECT 2'),
        wire.sync(),
        wire.bind(),
        wire.execute(),
        wire.sync(),
      );
      expect(shapeOf(await client.until('Z'))).toBe('1Z');
      expect(shapeOf(await client.until('Z'))).toBe('EZ');
      // A Parse of the unnamed statement that fails has dropped the one before.
      expect(errorIn(await client.until('Z'))?.code).toBe('26000');
    });

    test('is forgotten with DEALLOCATE and DISCARD ALL', async () => {
      using client = await WireClient.open(door.port);
      for (const forget of ['DEALLOCATE s', 'DEALLOCATE ALL', 'DISCARD ALL']) {
        expect(shapeOf(await ask(client, wire.parse('SELECT 8', 's'), wire.sync()))).toBe('1Z');
        expect(shapeOf(await ask(client, wire.query(forget)))).toBe('CZ');
      }
      expect(shapeOf(await ask(client, wire.parse('SELECT 8', 's'), wire.sync()))).toBe('1Z');
    });

    test('runs in parts by its portal', async () => {
      using client = await WireClient.open(door.port);
      client.send(wire.query('BEGIN'));
      await client.until('Z');
      client.send(
        wire.parse('SELECT generate_series(1, 5)'),
        wire.bind('', 'c'),
        wire.execute('c', 2),
        wire.sync(),
      );
      expect(shapeOf(await client.until('Z'))).toBe('12DDsZ');
      client.send(wire.execute('c', 0), wire.sync());
      expect(shapeOf(await client.until('Z'))).toBe('DDDCZ');
    });
  });

  test.each([
    ['SET ROLE pg_monitor'],
    ['SET LOCAL "ROLE" TO pg_monitor'],
    ['set session role pg_monitor'],
    ['SET U&"r\\006fle" = \'pg_monitor\''],
    ['SET SESSION AUTHORIZATION pg_monitor'],
    ["SELECT set_config('role', 'pg_monitor', false)"],
    ["SELECT pg_catalog.set_config('ro' || 'le', 'pg_monitor', false)"],
    ["SELECT set_config(setting_name => 'role', new_value => 'pg_monitor', is_local => false)"],
    ["UPDATE pg_settings SET setting = 'pg_monitor' WHERE name = 'role'"],
    ["ALTER ROLE gatehouse_root SET role = 'pg_monitor'"],
    ['DO $$ BEGIN SET ROLE pg_monitor; END $$'],
    ["SET NAMES 'SJIS'"],
    ['SET client_encoding TO LATIN1'],
    ['SET standard_conforming_strings = off'],
    ['BEGIN; SELECT 1; SET ROLE pg_monitor; COMMIT'],
    ['EXPLAIN (ANALYZE) EXECUTE x'],
    [`SELECT 1 /*${'x'.repeat(140_000)}*/; SET ROLE pg_monitor`],
  ])('%.80s is refused', async (sql) => {
    using client = await WireClient.open(door.port);
    expect(errorIn(await ask(client, wire.query(sql)))).toMatchObject({ code: '42501' });
    expect(
      errorIn(await ask(client, wire.parse(sql), wire.bind(), wire.execute(), wire.sync())),
    ).toMatchObject({
      code: '42501',
    });
    expect(valuesIn(await ask(client, wire.query('SELECT current_user')))).toEqual([postgres.superuser.user]);
  });

  test.each([
    ['RESET ROLE'],
    ['SET ROLE NONE'],
    ["SET NAMES 'utf8'"],
    ["SET TIME ZONE 'UTC'"],
    ["SELECT set_config('a.b', 'c', false)"],
  ])('%s is not', async (sql) => {
    using client = await WireClient.open(door.port);
    expect(errorIn(await ask(client, wire.query(sql)))).toBeUndefined();
  });

  test('a function that turns off standard strings behind our back ends the connection', async () => {
    await postgres.query(
      "CREATE FUNCTION sneak() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); END $f$",
    );
    using client = await WireClient.open(door.port);
    client.send(wire.query('SELECT sneak()'));
    await client.over();
    expect(errorIn(await client.until('never'))?.code).toBe('57P01');
  });

  test('a call by number (FunctionCall) is refused, and the connection goes on', async () => {
    using client = await WireClient.open(door.port);
    // lo_creat
    const call = message('F', int32(957), int16(0), int16(1), int32(4), int32(-1), int16(0));
    expect(errorIn(await ask(client, call))?.text).toContain('by a number alone');
    expect(valuesIn(await ask(client, wire.query('SELECT 1')))).toEqual(['1']);
  });

  test('text that is no UTF-8 is refused', async () => {
    using client = await WireClient.open(door.port);
    const query = message('Q', Buffer.from("SELECT '\x95\x5c'\0", 'latin1'));
    expect(errorIn(await ask(client, query))?.text).toContain('UTF-8');
  });

  describe('a connection begins', () => {
    test.each([
      [{ replication: 'database' }, '42501'],
      [{ replication: 'true' }, '42501'],
      [{ options: '-c role=pg_monitor' }, '42501'],
      [{ role: 'pg_monitor' }, '42501'],
      [{ Session_Authorization: 'x' }, '42501'],
      [{ client_encoding: 'SJIS' }, '22023'],
      [{ standard_conforming_strings: 'off' }, '22023'],
      [{ database: 'template1' }, '3D000'],
    ])('not with %j', async (parameters, code) => {
      using client = await WireClient.connect(door.port);
      client.send(startup({ user: 'anyone', database: 'postgres', ...parameters }));
      expect(errorIn(await client.until('Z'))?.code).toBe(code);
      await client.over();
    });

    test('with settings of its own', async () => {
      using client = await WireClient.open(door.port, { application_name: 'mine', TimeZone: 'Asia/Tokyo' });
      expect(valuesIn(await ask(client, wire.query('SHOW timezone')))).toEqual(['Asia/Tokyo']);
      expect(valuesIn(await ask(client, wire.query('SHOW application_name')))).toEqual(['mine']);
    });

    test('without showing it the user of the lease', async () => {
      using client = await WireClient.connect(door.port);
      client.send(startup({ user: 'anyone', database: 'postgres' }));
      const greeting = Buffer.concat((await client.until('Z')).map(({ body }) => body)).toString('latin1');
      expect(greeting).toContain('session_authorization\0anyone');
      expect(greeting).not.toContain(postgres.superuser.user);
    });

    test('with N to GSS, and with TLS where it asks for it', async () => {
      using client = await WireClient.connect(door.port);
      client.send(message(undefined, int32(80_877_104)));
      expect(await client.byte()).toBe('N');
      client.send(message(undefined, int32(80_877_103)));
      expect(await client.byte()).toBe('S');
      client.socket.removeAllListeners('data');
      const secured = connectTls({
        socket: client.socket,
        host: 'localhost',
        servername: 'localhost',
        ca: door.ca,
      });
      await once(secured, 'secureConnect');
      secured.write(startup({ user: 'anyone', database: 'postgres' }));
      const greeting: unknown[] = await once(secured, 'data');
      expect(String(greeting[0])[0]).toBe('R');
      secured.destroy();
    });

    test('not with bytes behind the request for TLS', async () => {
      using client = await WireClient.connect(door.port);
      client.send(message(undefined, int32(80_877_103)), startup({ user: 'anyone', database: 'postgres' }));
      expect(await client.until('Z')).toMatchObject([{ type: 'E' }]);
      await client.over();
    });

    test('in protocol 3.2 with a longer key, and in 3.9 with what is spoken here', async () => {
      using client = await WireClient.connect(door.port);
      client.send(startup({ user: 'anyone', database: 'postgres' }, 2));
      const messages = await client.until('Z');
      expect(messages.find(({ type }) => type === 'K')?.body.length).toBe(36);
      expect(messages.some(({ type }) => type === 'v')).toBe(false);

      using newer = await WireClient.connect(door.port);
      newer.send(startup({ user: 'anyone', database: 'postgres', '_pq_.x': '1' }, 9));
      const [first] = await newer.until('Z');
      expect(first?.type).toBe('v');
      expect(first?.body.readInt32BE(0)).toBe((3 << 16) | 2);
      expect(first?.body.toString('latin1', 8)).toBe('_pq_.x\0');
    });

    test('once somebody is known to call', async () => {
      door.setOwner(undefined);
      using client = await WireClient.connect(door.port);
      client.send(startup({ user: 'anyone', database: 'postgres' }));
      expect(errorIn(await client.until('Z'))?.text).toBe('Nobody knows whose call this is.');
      door.setOwner({ whose: { session: 'a' }, call: undefined });
    });
  });

  describe('what cannot be', () => {
    test.each([
      ['a first packet of 4 GiB', Buffer.of(0xff, 0xff, 0xff, 0xff)],
      ['an empty first packet', int32(4)],
      ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      ['protocol 2', message(undefined, int32(2 << 16))],
      ['TLS asked for without end', Buffer.concat([message(undefined, int32(80_877_104))])],
    ])('%s ends the connection', async (_, bytes) => {
      using client = await WireClient.connect(door.port);
      client.send(bytes);
      if (bytes.length === 8 && bytes.readInt32BE(4) === 80_877_104) {
        for (let time = 0; time < 3; time += 1) {
          expect(await client.byte()).toBe('N');
          client.send(bytes);
        }
      }
      expect(errorIn(await client.until('Z'))?.code).toBe('08P01');
      await client.over();
    });

    test.each([
      ['a length below itself', Buffer.of(0x51, 0, 0, 0, 1)],
      ['a message of an unknown type', message('x')],
      ['a statement without its end', message('Q', Buffer.from('SELECT 1'))],
      ['a password that nobody asked for', message('p', cstring('secret'))],
      ['a Describe of neither', message('D', Buffer.from('X'), cstring(''))],
      ['a statement of 2 GiB', Buffer.of(0x51, 0x7f, 0xff, 0xff, 0xff, ...Buffer.alloc(5000))],
    ])('%s ends the connection', async (_, bytes) => {
      using client = await WireClient.open(door.port);
      client.send(bytes);
      expect(errorIn(await client.until('Z'))?.code).toMatch(/^(08P01|54000)$/);
      await client.over();
    });

    test('connections that are opened and left, by the hundred, leave room for others', async () => {
      const idle = await Promise.all(Array.from({ length: 300 }, () => WireClient.connect(door.port)));
      using client = await WireClient.open(door.port);
      expect(valuesIn(await ask(client, wire.query('SELECT 1')))).toEqual(['1']);
      idle.forEach((one) => one[Symbol.dispose]());
    });

    test('a client that goes in the middle of a result leaves no session behind', async () => {
      const client = await WireClient.open(door.port, { application_name: 'gone' });
      client.send(wire.query("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"));
      await client.next();
      client[Symbol.dispose]();
      const count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gone'";
      await expect.poll(() => postgres.query(count), { timeout: 20_000 }).toBe('0');
    });
  });

  test('a key cancels its own query, and no other key does', async () => {
    using client = await WireClient.connect(door.port);
    client.send(startup({ user: 'anyone', database: 'postgres' }, 2));
    const key = (await client.until('Z')).find(({ type }) => type === 'K')?.body ?? Buffer.alloc(0);
    client.send(wire.query('SELECT pg_sleep(600)'));
    const cancel = async (body: Buffer): Promise<void> => {
      using other = await WireClient.connect(door.port);
      other.send(message(undefined, int32(80_877_102), body));
      await other.over();
    };
    const wrong = Buffer.from(key);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
    await cancel(wrong);
    await cancel(key.subarray(0, 8));
    const sleeping =
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(6%' AND state = 'active'";
    await expect.poll(() => postgres.query(sleeping), { timeout: 30_000 }).toBe('1');
    await cancel(key);
    expect(errorIn(await client.until('Z'))?.code).toBe('57014');
  });
});
