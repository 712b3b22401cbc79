/** Where the server's calls outward come in: redirected there without knowing it, or sent there as to a proxy. */
import type { IncomingMessage } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../../lib/log.ts';
import { formatDestination, normalHost, parseDestination, type Destination } from '../destination.ts';
import { EgressRefused } from '../refused.ts';
import { recordRefusal } from './call.ts';
import { TLS_HANDSHAKE } from './client-hello.ts';
import type { EgressGateway } from './gateway.ts';
import { pairsOf, valuesOf, type Headers } from './headers.ts';
import { peekByte, peekClientHello } from './peek.ts';
import { createHttp1Server, refusalMessage, type Inside } from './serve-http1.ts';
import { serveHttp2 } from './serve-http2.ts';
import { createTlsEnds } from './tls-ends.ts';
import { tunnel } from './tunnel.ts';

export interface ListenerOptions {
  /** The gateways whose servers may call outward. */
  readonly gateways: () => readonly EgressGateway[];
  /** Whom the password of a proxy URL was given to; undefined for what nobody was given. */
  readonly holderOf: (token: string) => TokenHolder | undefined;
  /** Shows the certificate of a host to clients that trust the pod's CA. */
  readonly contextFor: (host: string) => SecureContext;
  readonly log: Logger;
  readonly limits?: Partial<ListenerLimits>;
}

/** A gateway, or a process that serves one of its sessions. */
export interface TokenHolder {
  readonly gateway: string;
  readonly ofSession: boolean;
}

export interface ListenerLimits {
  /** For the first bytes, the ClientHello and the handshake, each. */
  readonly handshakeMs: number;
  readonly headersMs: number;
  readonly idleMs: number;
  readonly maxHeaderBytes: number;
  readonly connections: number;
}

const LIMITS: ListenerLimits = {
  handshakeMs: 10_000,
  headersMs: 30_000,
  idleMs: 300_000,
  maxHeaderBytes: 65_536,
  connections: 4_096,
};

/** What a connection proved before anything of the call was read. */
type Proven = Pick<Inside, 'gateway' | 'token'>;

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';

export function createEgressListener(options: ListenerOptions): Server {
  const limits = { ...LIMITS, ...options.limits };
  const insides = new WeakMap<Duplex, Inside>();
  const ends = createTlsEnds({
    contextFor: options.contextFor,
    handshakeMs: limits.handshakeMs,
    onOpened: (opened, inside) => {
      if (opened.alpnProtocol === 'h2') serveHttp2(opened, inside, limits);
      else {
        insides.set(opened, inside);
        http1.emit('connection', opened);
      }
    },
  });
  const http1 = createHttp1Server({
    insideOf: (socket) => insides.get(socket),
    gatewayFor: (headers) => proven(headers, options),
    onConnect: (request, socket, head) => void connect(request, socket, head),
    headersTimeoutMs: limits.headersMs,
    maxHeaderBytes: limits.maxHeaderBytes,
  });

  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });
  server.maxConnections = limits.connections;
  server.on('connection', (socket) => {
    // Each way to serve it has its own ears; this one is for the time between them.
    socket.on('error', () => undefined);
    void accept(socket);
  });
  server.on('close', () => http1.closeAllConnections());
  return server;

  async function accept(socket: Socket): Promise<void> {
    const first = await peekByte(socket, limits.handshakeMs);
    if (first === undefined) {
      socket.destroy();
      return;
    }
    if (first === TLS_HANDSHAKE) await acceptRedirectedTls(socket);
    else plainHttp(socket);
  }

  function plainHttp(socket: Socket): void {
    http1.emit('connection', socket);
    // What was looked at already is not announced a second time.
    process.nextTick(() => socket.resume());
  }

  /** The name that it asks for is where it goes; which port it meant, nobody knows any more. */
  async function acceptRedirectedTls(socket: Socket): Promise<void> {
    let destination: Destination = { host: 'unknown', port: 443 };
    let gateway: EgressGateway | undefined;
    try {
      ({ gateway } = proven([], options));
      const name = await serverNameOf(socket);
      if (name === undefined)
        throw new EgressRefused(
          'bad_request',
          'The TLS client names no host, so nobody can say where it goes.',
        );
      destination = { host: name, port: 443 };
      await serveTls(socket, { gateway, token: undefined }, destination);
    } catch (error) {
      abandon(socket, gateway, destination, { what: 'TLS', error });
    }
  }

  async function connect(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', () => undefined);
    if (head.length > 0) socket.unshift(head);
    const target = parseDestination(request.url ?? '', 0);
    let gateway: EgressGateway | undefined;
    let established = false;
    try {
      const who = proven(pairsOf(request.rawHeaders), options);
      ({ gateway } = who);
      if (target === undefined)
        throw new EgressRefused(
          'bad_request',
          'CONNECT must name a host and a port, as in api.example.com:443.',
        );
      const route = gateway.policy.route(target);
      if (route.kind === 'refuse') throw new EgressRefused('not_allowed', route.reason);
      if (route.kind === 'tunnel') {
        await tunnel(socket, gateway, target, { ...limits, before: ESTABLISHED });
        return;
      }
      socket.write(ESTABLISHED);
      established = true;
      const name = await serverNameOf(socket);
      if (name !== target.host) throw misdirected(target, name);
      await serveTls(socket, who, target);
    } catch (error) {
      const destination = target ?? { host: 'unknown', port: 0 };
      abandon(socket, gateway, destination, { what: 'CONNECT', error, inWords: !established });
    }
  }

  async function serveTls(socket: Socket, who: Proven, destination: Destination): Promise<void> {
    const route = who.gateway.policy.route(destination);
    if (route.kind === 'refuse') throw new EgressRefused('not_allowed', route.reason);
    if (route.kind === 'tunnel') {
      await tunnel(socket, who.gateway, destination, limits);
      return;
    }
    ends.open(socket, { ...who, opened: destination });
  }

  /** Undefined where it names none or is no TLS. */
  async function serverNameOf(socket: Socket): Promise<string | undefined> {
    const hello = await peekClientHello(socket, limits.handshakeMs);
    if (hello?.kind !== 'hello')
      throw new EgressRefused('bad_request', 'The connection does not begin as TLS does.');
    return hello.serverName === undefined ? undefined : normalHost(hello.serverName);
  }

  function abandon(
    socket: Socket,
    gateway: EgressGateway | undefined,
    destination: Destination,
    { what, error, inWords = false }: { what: string; error: unknown; inWords?: boolean },
  ): void {
    if (!(error instanceof EgressRefused)) options.log.error({ err: error }, 'a call outward failed');
    else if (gateway !== undefined) recordRefusal(gateway, destination, what, error);
    if (inWords) socket.end(refusalMessage(error));
    else if (error instanceof EgressRefused && error.code !== 'bad_request') socket.end(ACCESS_DENIED);
    else socket.destroy();
    socket.resume();
    // A client that does not close is not waited for.
    setTimeout(() => socket.destroy(), CLOSE_MS).unref();
  }
}

const CLOSE_MS = 2_000;
/** The TLS alert access_denied (49, fatal), which a client says in its error (RFC 8446, 6.2). */
const ACCESS_DENIED = Buffer.from([21, 3, 3, 0, 2, 2, 49]);

function misdirected(target: Destination, name: string | undefined): EgressRefused {
  return new EgressRefused(
    'misdirected',
    `CONNECT names ${formatDestination(target)}, and the TLS inside of it ${name ?? 'no host'}.`,
  );
}

/** The gateway that a connection belongs to. Throws EgressRefused where that is not certain. */
function proven(headers: Headers, { gateways, holderOf }: ListenerOptions): Proven {
  const token = tokenIn(headers);
  const all = gateways();
  const holder = token === undefined ? undefined : holderOf(token);
  const own = all.find(({ name }) => name === holder?.gateway);
  if (own !== undefined) return { gateway: own, token: holder?.ofSession === true ? token : undefined };
  const [only, ...others] = all.filter(({ ownProcesses }) => !ownProcesses);
  if (token === undefined && only !== undefined && others.length === 0) return { gateway: only, token };
  throw new EgressRefused(
    'proxy_authentication',
    'Several servers may call outward here, or only ones with a proof; use the proxy URL of the environment that Gatehouse wrote for yours.',
  );
}

const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i;

/** The password of the proxy URL. */
function tokenIn(headers: Headers): string | undefined {
  const [value = ''] = valuesOf(headers, 'proxy-authorization');
  const encoded = BASIC.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  const credentials = Buffer.from(encoded, 'base64').toString('latin1');
  return credentials.slice(credentials.indexOf(':') + 1);
}
