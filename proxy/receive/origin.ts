/** Host and Origin: what stops a web page from reaching a gateway through a browser (DNS rebinding). */
import { isIPv6 } from 'node:net';
import { Refusal } from '../refusal.ts';

/** What a listener answers to. */
export interface Authorities {
  /** `host` or `host:port`, lower case. */
  readonly names: ReadonlySet<string>;
  /**
   * Whether the very address that a connection came in at will do as well, whatever the port. A page can have a name of
   * its own pointed at any address, but not make a browser say the address in place of the name.
   */
  readonly ownAddress: boolean;
}

export interface AuthoritiesOptions {
  readonly publicUrl?: string | undefined;
  /** What the Services before it are called. */
  readonly hosts?: readonly string[] | undefined;
}

const ALL_ADDRESSES = ['::', '0.0.0.0'];

/**
 * `host:port` of the listener, of loopback when it listens there, of publicUrl and of the Services before it. A listener
 * on all addresses is led to from other ports than its own.
 */
export function authoritiesOf(
  listen: { readonly host: string; readonly port: number },
  { publicUrl, hosts = [] }: AuthoritiesOptions,
): Authorities {
  const names = new Set(hosts);
  for (const host of [listen.host, 'localhost', '127.0.0.1', '::1']) {
    names.add(`${isIPv6(host) ? `[${host}]` : host}:${listen.port}`.toLowerCase());
  }
  if (publicUrl !== undefined) names.add(new URL(publicUrl).host);
  return { names, ownAddress: ALL_ADDRESSES.includes(listen.host) };
}

export interface Addressed {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  /** Where the connection came in. */
  readonly localAddress?: string | undefined;
}

/** Throws a Refusal for a foreign Host or Origin. A request without Origin comes from no browser. */
export function checkOrigin({ host, origin, localAddress }: Addressed, allowed: Authorities): void {
  if (host === undefined || !isOurs(host.toLowerCase(), localAddress, allowed)) {
    throw new Refusal(
      'bad_host',
      "The Host header names neither this listener, nor a Service of the gateway's pods, nor the gateway's publicUrl; call it by one of these, or set spec.publicUrl to the name that clients use.",
      { status: 403, as: -32600 },
    );
  }
  if (origin !== undefined && !allowed.names.has(authorityOf(origin))) {
    throw new Refusal(
      'bad_origin',
      "Requests from this Origin are refused: it is neither this listener nor the gateway's publicUrl.",
      {
        status: 403,
        as: -32600,
      },
    );
  }
}

function isOurs(host: string, localAddress: string | undefined, allowed: Authorities): boolean {
  if (allowed.names.has(host)) return true;
  return allowed.ownAddress && localAddress !== undefined && isAddress(host, localAddress);
}

const IPV4 = String.raw`\d{1,3}(?:\.\d{1,3}){3}`;
const HOST = new RegExp(String.raw`^(${IPV4}|\[[0-9a-f:]+(?:${IPV4})?\]|localhost)(?::\d{1,5})?$`);

/** Browsers let nobody point localhost elsewhere. */
function isAddress(host: string, address: string): boolean {
  const named = HOST.exec(host)?.[1];
  if (named === undefined) return false;
  // A listener of both families sees IPv4 so.
  const own = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (named === 'localhost') return own === '::1' || own.startsWith('127.');
  return named === own || canonical(named) === canonical(isIPv6(own) ? `[${own}]` : own);
}

function canonical(host: string): string {
  return authorityOf(`http://${host}`);
}

function authorityOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}
