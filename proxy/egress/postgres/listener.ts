/** A port of loopback, behind which lies the database that a credential is for. */
import { createServer, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Duplex } from 'node:stream';
import { listen } from '../../../lib/listen.ts';
import { CancelKeys } from './cancel.ts';
import { Connection } from './connection.ts';
import type { EndedWork, PostgresDeps, PostgresTarget } from './deps.ts';
import { openDownstream } from './downstream.ts';
import { asWireError, WireError } from './errors.ts';
import { errorResponse } from './messages.ts';
import type { LeasedLogin } from './upstream/session.ts';

export interface ListenerOptions {
  /** What TLS is offered with; undefined: none is. */
  readonly tls: (() => SecureContext) | undefined;
  /** Whether callers are told apart by the password that a connection gives. */
  readonly asksPassword: boolean;
}

/** The beginning of a connection may take so long; PostgreSQL's authentication_timeout is the same. */
const BEGIN_MS = 60_000;
const MAX_CONNECTIONS = 512;

export class PostgresListener<L extends LeasedLogin> {
  readonly target: PostgresTarget;
  readonly #deps: PostgresDeps<L>;
  readonly #options: ListenerOptions;
  readonly #servers: Server[] = [];
  readonly #keys = new CancelKeys();
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection<L>>();

  constructor(target: PostgresTarget, options: ListenerOptions, deps: PostgresDeps<L>) {
    this.target = target;
    this.#options = options;
    this.#deps = deps;
  }

  /** Listens on loopback; resolves with the port. Throws ListenError. */
  async open(hosts: readonly string[] = ['127.0.0.1']): Promise<number> {
    let port = this.target.listen;
    try {
      for (const host of hosts) {
        const server = createServer({ noDelay: true }, (socket) => void this.#serve(socket));
        port = (await listen(server, { host, port })).port;
        this.#servers.push(server);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    return port;
  }

  /** Calls in flight have changed. */
  reconsider(): void {
    for (const connection of this.#connections) connection.reconsider();
  }

  /** Work is over, and its leases with it: no session of the database outlives it. */
  forget(work: EndedWork): void {
    for (const connection of this.#connections) connection.forget(work);
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const connection of this.#connections) connection.close();
    for (const socket of this.#sockets) socket.destroySoon();
    await Promise.all(closed);
  }

  async #serve(raw: Socket): Promise<void> {
    this.#sockets.add(raw);
    raw.once('close', () => this.#sockets.delete(raw));
    const { tls, asksPassword } = this.#options;
    let socket: Duplex = quiet(raw);
    const late = setTimeout(() => raw.destroy(), BEGIN_MS);
    try {
      if (this.#sockets.size > MAX_CONNECTIONS)
        throw new WireError('53300', `This port takes no more than ${MAX_CONNECTIONS} connections at once.`);
      const opened = await openDownstream(raw, { tls: tls?.(), asksPassword }, (secured) => {
        socket = quiet(secured);
      });
      if ('kind' in opened) {
        this.#keys.use(opened.pid, opened.secret);
        socket.end();
        return;
      }
      const connection = new Connection(opened, this.target, this.#keys, this.#deps);
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
      await connection.begin();
    } catch (error) {
      this.#refuse(socket, error);
    } finally {
      clearTimeout(late);
    }
  }

  #refuse(socket: Duplex, error: unknown): void {
    const { sqlstate, message, cause } = asWireError(error);
    this.#deps.log.info(
      { credential: this.target.credential, err: cause },
      'a database connection was refused',
    );
    const masked = this.#deps.policy().masker.text(message, { purpose: 'release' });
    socket.end(
      errorResponse('FATAL', sqlstate, masked.kind === 'released' ? masked.text : 'It was refused.'),
    );
    setTimeout(() => socket.destroy(), 1_000).unref();
  }
}

/** An error of a socket shows as its end. */
function quiet<S extends Duplex>(socket: S): S {
  return socket.on('error', () => undefined);
}
