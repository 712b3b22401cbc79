/** Connections to upstreams, pooled for each owner apart: what one caller's call opened, another's never uses. */
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { Lru } from '../../../lib/lru.ts';
import { formatDestination, type Destination } from '../destination.ts';
import type { Dial } from '../dial.ts';
import type { Endpoint } from '../resolve.ts';

/** Whose connections: a session, the pod, or calls that carry no credential. */
export type PoolKey = string;

interface Pool {
  readonly plain: Agent;
  readonly secure: Agent;
  readonly http2: Map<string, Promise<ClientHttp2Session>>;
}

const IDLE_MS = 60_000;
const CONNECTIONS = 256;
/** Large windows: with 64 KB, what is on its way to a far upstream waits for acknowledgements most of the time. */
export const WINDOW = 4 * 1024 * 1024;
const HOSTS_WITHOUT_HTTP2 = 256;

/** The upstream took HTTP/1.1 when it was offered both. */
export class SpeaksHttp1 extends Error {}

export class Upstreams {
  readonly #dial: Dial;
  readonly #named: (endpoint: Endpoint) => boolean;
  readonly #pools = new Map<PoolKey, Pool>();
  readonly #http1 = new Lru<string, true>(HOSTS_WITHOUT_HTTP2);

  constructor(dial: Dial, named: (endpoint: Endpoint) => boolean) {
    this.#dial = dial;
    this.#named = named;
  }

  /** An agent of node:http that opens its connections by our own dial. */
  agent(key: PoolKey, secure: boolean): Agent {
    const pool = this.#pool(key);
    return secure ? pool.secure : pool.plain;
  }

  /** Throws SpeaksHttp1, and EgressRefused when it cannot be reached. */
  async http2(key: PoolKey, destination: Destination): Promise<ClientHttp2Session> {
    const name = formatDestination(destination);
    if (this.#http1.get(name) === true) throw new SpeaksHttp1();
    const { http2 } = this.#pool(key);
    const existing = await http2.get(name);
    if (existing !== undefined && !existing.closed && !existing.destroyed) return existing;
    const opening = this.#openHttp2(destination);
    http2.set(name, opening);
    const forget = (): void => {
      if (http2.get(name) === opening) http2.delete(name);
    };
    try {
      const session = await opening;
      session.once('close', forget).once('goaway', forget);
      return session;
    } catch (error) {
      forget();
      if (error instanceof SpeaksHttp1) this.#http1.set(name, true);
      throw error;
    }
  }

  /** Tunnels are nobody's but their own. */
  tunnel(destination: Destination): Promise<Socket> {
    return this.#dial.plain({ destination, named: this.#named });
  }

  /** Closes what is idle in the pools of sessions, and what is busy as soon as it is not. */
  release(isSession: (key: PoolKey) => boolean): void {
    for (const [key, pool] of this.#pools) {
      if (!isSession(key)) continue;
      this.#pools.delete(key);
      retire(pool);
    }
  }

  close(): void {
    for (const pool of this.#pools.values()) {
      pool.plain.destroy();
      pool.secure.destroy();
      for (const session of pool.http2.values())
        session.then(
          (open) => open.destroy(),
          () => undefined,
        );
    }
    this.#pools.clear();
  }

  #pool(key: PoolKey): Pool {
    const existing = this.#pools.get(key);
    if (existing !== undefined) return existing;
    const made: Pool = {
      plain: new DiallingAgent((to) => this.#dial.plain({ destination: to, named: this.#named })),
      secure: new DiallingAgent((to) =>
        this.#dial.secure({ destination: to, named: this.#named }, ['http/1.1']),
      ),
      http2: new Map(),
    };
    this.#pools.set(key, made);
    return made;
  }

  async #openHttp2(destination: Destination): Promise<ClientHttp2Session> {
    const socket = await this.#dial.secure({ destination, named: this.#named }, ['h2', 'http/1.1']);
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      throw new SpeaksHttp1();
    }
    return startHttp2(destination, socket);
  }
}

function startHttp2(destination: Destination, socket: TLSSocket): ClientHttp2Session {
  const session = connectHttp2(`https://${formatDestination(destination)}`, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: WINDOW },
  });
  // Streams get their own errors; an unheard one would end the process.
  session.on('error', () => undefined);
  session.once('connect', () => session.setLocalWindowSize(WINDOW));
  session.setTimeout(IDLE_MS, () => session.close());
  return session;
}

function retire(pool: Pool): void {
  for (const agent of [pool.plain, pool.secure]) {
    // A socket that comes back is not kept: the agent has no room for idle ones.
    agent.maxFreeSockets = 0;
    for (const sockets of Object.values(agent.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }
  for (const session of pool.http2.values())
    session.then(
      (open) => open.close(),
      () => undefined,
    );
}

type Open = (to: Destination) => Promise<Socket>;

/** Of node:http also where the connection is TLS: the agent hands out what `open` made, verified already. */
class DiallingAgent extends Agent {
  readonly #open: Open;

  constructor(open: Open) {
    super({ keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: CONNECTIONS, timeout: IDLE_MS });
    this.#open = open;
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    done: (error: Error | null, socket: Duplex) => void = () => undefined,
  ): undefined {
    this.#open({ host: host ?? '', port: Number(port) }).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), new Socket()),
    );
  }
}
