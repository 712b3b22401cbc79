/** How a database may ask who comes, and somebody between us and it who has a certificate that is trusted. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueAuthority, issueServerLeaf } from '../../lib/certificates.ts';
import { cstring, int32, message } from '../../proxy/egress/postgres/messages.ts';
import { openDoor } from '../fixtures/database-door.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { errorIn, startup, valuesIn, wire, WireClient } from '../fixtures/wire-client.ts';

const PASSWORD = 'only-of-this-test-0123';
/** A role of each name, which pg_hba.conf asks for its password in the way of that name. */
const WAYS = ['scram-sha-256', 'md5', 'password'] as const;

describeUnless(whyNoPostgres(), 'a login at the database', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
    for (const way of WAYS)
      await postgres.query(
        `SET password_encryption = '${way === 'md5' ? 'md5' : 'scram-sha-256'}';
         CREATE ROLE "${way}" LOGIN PASSWORD '${PASSWORD}'`,
      );
    const rules = [...WAYS.map((way) => [`"${way}"`, way]), ['nobody', 'reject'], ['all', 'scram-sha-256']];
    const lines = rules.map(([user, way]) => `hostssl all ${user} 127.0.0.1/32 ${way}\n`);
    await writeFile(await postgres.query('SHOW hba_file'), lines.join(''));
    await postgres.query('SELECT pg_reload_conf()');
  });
  afterAll(() => postgres[Symbol.asyncDispose]());

  async function refusalAt(port: number): Promise<ReturnType<typeof errorIn>> {
    using client = await WireClient.connect(port);
    client.send(startup({ user: 'anyone', database: 'postgres' }));
    return errorIn(await client.until('Z'));
  }

  const loginAs = (user: string, password = PASSWORD) => ({ login: () => ({ user, password }) });

  test.each(WAYS)('by %s gets in with the lease, and with no other password', async (way) => {
    await using door = await openDoor(postgres, loginAs(way));
    using client = await WireClient.open(door.port);
    client.send(wire.query('SELECT session_user::text'));
    expect(valuesIn(await client.until('Z'))).toEqual([way]);

    await using wrong = await openDoor(postgres, loginAs(way, 'another-0123456789'));
    const refusal = await refusalAt(wrong.port);
    expect(refusal?.code).toBe('28P01');
    expect(refusal?.text).not.toContain('another-0123456789');
  });

  test('that the database has no way for is told with its words', async () => {
    await using door = await openDoor(postgres, loginAs('nobody'));
    const refusal = await refusalAt(door.port);
    expect(refusal?.code).toBe('28000');
    expect(refusal?.text).toContain('pg_hba.conf rejects connection');
  });

  describe('with somebody in between whose certificate is trusted', () => {
    test.each([
      ['who passes all on', false, 'channel binding'],
      ['who hides that the channel could be bound', true, 'thinks the server does not'],
    ])('%s, it is refused by the database', async (_, hides, words) => {
      await using middle = await startMiddle(postgres, hides);
      const from = { ...postgres, port: middle.port, ca: middle.ca };
      await using door = await openDoor(from, loginAs('scram-sha-256'));
      expect((await refusalAt(door.port))?.code).toBe('28000');
      expect(await postgres.log()).toContain(words);
      // What is sent to prove the password proves it to nobody else.
      expect(Buffer.concat(middle.heard).includes(PASSWORD)).toBe(false);
    });
  });
});

interface Middle extends AsyncDisposable {
  readonly port: number;
  readonly ca: string;
  /** What a client said under TLS. */
  readonly heard: Buffer[];
}

/** Ends TLS with a certificate of its own, and speaks TLS on to the database. */
async function startMiddle(postgres: Postgres, hides: boolean): Promise<Middle> {
  const validity = { now: Date.now(), days: 1 };
  const authority = issueAuthority('test authority of another', validity);
  const context = createSecureContext(issueServerLeaf(authority, ['127.0.0.1'], validity));
  const heard: Buffer[] = [];
  const open = new Set<Socket>();
  const kept = <S extends Socket>(socket: S): S => {
    open.add(socket);
    socket.on('error', () => undefined);
    return socket;
  };
  const server = createServer((socket) => {
    void between(kept(socket)).catch(() => socket.destroy());
  });

  async function between(socket: Socket): Promise<void> {
    await once(socket, 'data');
    const client = kept(new TLSSocket(socket, { isServer: true, secureContext: context }));
    socket.write('S');
    const plain = kept(connect(postgres.port, '127.0.0.1'));
    plain.write(message(undefined, int32(80_877_103)));
    await once(plain, 'data');
    const database = kept(connectTls({ socket: plain, host: '127.0.0.1', ca: postgres.ca }));
    await once(database, 'secureConnect');
    client.on('data', (chunk: Buffer) => heard.push(chunk)).pipe(database);
    database.on('data', (chunk: Buffer) => client.write(hides ? withoutPlus(chunk) : chunk));
    database.on('end', () => client.end());
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ca: authority.cert,
    heard,
    [Symbol.asyncDispose]: async () => {
      open.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}

/** The list of ways to log in, with the plain one alone in it. */
function withoutPlus(chunk: Buffer): Buffer {
  if (!chunk.includes('SCRAM-SHA-256-PLUS')) return chunk;
  return message('R', int32(10), cstring('SCRAM-SHA-256'), Buffer.of(0));
}
