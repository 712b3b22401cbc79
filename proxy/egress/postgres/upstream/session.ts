/** A session of the database for one owner: logged in with their lease, and brought to where another one was. */
import type { TLSSocket } from 'node:tls';
import type { Secret } from '../../../../lib/secret.ts';
import { LoginRefused, WireError } from '../errors.ts';
import { Fields, query, readReport, SYNC } from '../messages.ts';
import { takeMessage } from '../socket-bytes.ts';
import { connectUpstream, type Dial, type Upstream } from './connect.ts';
import { logIn, type LoggedIn } from './login.ts';

/** What a credential is for now: of a lease, the fields `username` and `password` are used. */
export interface LeasedLogin {
  readonly fields: ReadonlyMap<string, Secret>;
}

export interface SessionRequest<L extends LeasedLogin> {
  readonly credential: string;
  readonly upstream: Upstream;
  readonly settings: ReadonlyMap<string, string>;
  readonly lend: () => Promise<L>;
  /** Another lease in the place of one that the database refused. */
  readonly replace: (refused: L) => Promise<L>;
  readonly dial: Dial;
}

/** What an earlier session of the same client had. */
export interface Memory {
  /** Statements that set settings. */
  readonly settings: readonly string[];
  /** Parse messages. */
  readonly prepared: readonly Buffer[];
}

const LOGIN_MS = 15_000;
const MAX_MESSAGE = 1024 * 1024;

/** Throws WireError, and whatever lending throws. */
export async function openSession<L extends LeasedLogin>(
  request: SessionRequest<L>,
  memory: Memory,
): Promise<LoggedIn> {
  const lease = await request.lend();
  try {
    return await openWith(lease, request, memory);
  } catch (error) {
    if (!(error instanceof LoginRefused)) throw error;
    // It was revoked under us: once more, with a new one.
    return openWith(await request.replace(lease), request, memory);
  }
}

async function openWith<L extends LeasedLogin>(
  { fields }: L,
  { credential, upstream, settings, dial }: SessionRequest<L>,
  memory: Memory,
): Promise<LoggedIn> {
  const user = fields.get('username');
  const password = fields.get('password');
  if (user === undefined || password === undefined)
    throw new WireError('28000', `The credential "${credential}" has no fields "username" and "password".`);
  const signal = AbortSignal.timeout(LOGIN_MS);
  const socket = await connectUpstream(upstream, dial, signal);
  const quiet = (): void => undefined;
  const late = (): void => void socket.destroy(new Error('It took too long.'));
  socket.on('error', quiet);
  signal.addEventListener('abort', late, { once: true });
  try {
    const session = await logIn(socket, { user, password, database: upstream.database, settings });
    return { ...session, parameters: await remember(session, memory) };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', late);
  }
}

/** Brings back settings and prepared statements; gives what the database reports of its settings then. */
async function remember({ socket, parameters }: LoggedIn, memory: Memory): Promise<Map<string, string>> {
  const reported = new Map(parameters);
  for (const sql of memory.settings) await exchange(socket, [query(sql)], reported);
  if (memory.prepared.length > 0) await exchange(socket, [...memory.prepared, SYNC], reported);
  return reported;
}

async function exchange(
  socket: TLSSocket,
  messages: readonly Buffer[],
  reported: Map<string, string>,
): Promise<void> {
  socket.write(Buffer.concat(messages));
  for (;;) {
    const { type, body } = await takeMessage(socket, MAX_MESSAGE);
    const fields = new Fields(body);
    if (type === 'Z') return;
    if (type === 'S') reported.set(fields.text(), fields.text());
    if (type === 'E') {
      const words = readReport(Buffer.concat([Buffer.alloc(5), body])).get('M') ?? '';
      throw new WireError('57P01', `What this connection had set up could not be brought back: ${words}`);
    }
  }
}
