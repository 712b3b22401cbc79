/** Logs in to the database with a lease. */
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Secret } from '../../../../lib/secret.ts';
import { LoginRefused, WireError } from '../errors.ts';
import { cstring, Fields, int32, message, readReport } from '../messages.ts';
import { takeMessage } from '../socket-bytes.ts';
import { startScram } from './scram.ts';

export interface Login {
  readonly user: Secret;
  readonly password: Secret;
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** A session of the database that is ready for its first statement. */
export interface LoggedIn {
  readonly socket: TLSSocket;
  /** What the database reports of its settings. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What its work is cancelled with. */
  readonly key: Buffer;
}

const VERSION_3_0 = 0x30000;
const MAX_MESSAGE = 64 * 1024;
/** What a login is refused with that was fine before: password wrong, role gone or locked. */
const REFUSALS = ['28P01', '28000'];

/** Throws LoginRefused where the database takes user or password for wrong, WireError for all else. */
export async function logIn(socket: TLSSocket, login: Login): Promise<LoggedIn> {
  const settings = [...login.settings].flatMap(([name, value]) => [cstring(name), cstring(value)]);
  socket.write(
    message(
      undefined,
      int32(VERSION_3_0),
      cstring('user'),
      cstring(login.user.reveal()),
      cstring('database'),
      cstring(login.database),
      ...settings,
      Buffer.of(0),
    ),
  );
  await authenticate(socket, login);
  return { socket, ...(await readUntilReady(socket)) };
}

/** The kinds of AuthenticationRequest that are answered. */
const OK = 0;
const CLEARTEXT = 3;
const MD5 = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

async function authenticate(socket: TLSSocket, login: Login): Promise<void> {
  for (;;) {
    const request = await expect(socket, 'R');
    const kind = request.int32();
    if (kind === OK) return;
    if (kind === SASL) await sasl(socket, login, request);
    // The database has shown who it is, and nobody else reads along: what it demands is between it and the lease.
    else if (kind === CLEARTEXT) socket.write(message('p', cstring(login.password.reveal())));
    else if (kind === MD5) socket.write(message('p', cstring(md5(login, request.bytes(4)))));
    else
      throw new WireError(
        '28000',
        `The database demands a login of a kind that is not spoken here (${kind}); use scram-sha-256 in pg_hba.conf.`,
      );
  }
}

async function sasl(socket: TLSSocket, login: Login, request: Fields): Promise<void> {
  const mechanisms: string[] = [];
  while (!request.atEnd) {
    const name = request.text();
    if (name === '') break;
    mechanisms.push(name);
  }
  const scram = startScram({
    mechanisms,
    password: login.password.reveal(),
    certificate: socket.getPeerX509Certificate(),
  });
  const first = Buffer.from(scram.first);
  socket.write(message('p', cstring(scram.mechanism), int32(first.length), first));
  const serverFirst = await expectSasl(socket, SASL_CONTINUE);
  socket.write(message('p', Buffer.from(await scram.final(serverFirst))));
  scram.verify(await expectSasl(socket, SASL_FINAL));
}

async function expectSasl(socket: TLSSocket, kind: number): Promise<string> {
  const request = await expect(socket, 'R');
  if (request.int32() !== kind) throw outOfOrder();
  return request.rest().toString('utf8');
}

/** As PostgreSQL has it: md5(md5(password + user) + salt). */
function md5(login: Login, salt: Buffer): string {
  const inner = createHash('md5')
    .update(login.password.reveal() + login.user.reveal())
    .digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

async function readUntilReady(socket: TLSSocket): Promise<Omit<LoggedIn, 'socket'>> {
  const parameters = new Map<string, string>();
  let key = Buffer.alloc(0);
  for (;;) {
    const { type, body } = await next(socket);
    const fields = new Fields(body);
    if (type === 'Z') return { parameters, key };
    if (type === 'S') parameters.set(fields.text(), fields.text());
    else if (type === 'K') key = Buffer.from(body);
    else if (type !== 'N') throw outOfOrder();
  }
}

async function expect(socket: TLSSocket, wanted: string): Promise<Fields> {
  for (;;) {
    const { type, body } = await next(socket);
    if (type === wanted) return new Fields(body);
    if (type !== 'N' && type !== 'v') throw outOfOrder();
  }
}

/** The next message; an ErrorResponse is thrown. */
async function next(socket: TLSSocket): Promise<{ readonly type: string; readonly body: Buffer }> {
  const received = await takeMessage(socket, MAX_MESSAGE);
  if (received.type !== 'E') return received;
  const report = readReport(Buffer.concat([Buffer.alloc(5), received.body]));
  const sqlstate = report.get('C') ?? 'XX000';
  // Its words may name the lease's user; they are masked like everything else that the client gets.
  const words = `The database refused the connection: ${report.get('M') ?? 'it did not say why'}`;
  throw REFUSALS.includes(sqlstate) ? new LoginRefused(sqlstate, words) : new WireError(sqlstate, words);
}

function outOfOrder(): WireError {
  return new WireError('08P01', 'The database answered a login with a message that does not belong there.');
}
