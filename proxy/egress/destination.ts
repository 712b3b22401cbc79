/** Names and ports of the outside world: how they are written, and which ones a list covers. */
import { isIP, isIPv6 } from 'node:net';

export interface Destination {
  /** A name in lower case without the dot at its end, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** RFC 1123, 2.1, with the underscore that DNS allows. */
const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

/** Undefined for what is neither a name nor an address. */
export function normalHost(text: string): string | undefined {
  const bare = /^\[([^\]]*)\]$/.exec(text)?.[1];
  if (bare !== undefined) return isIPv6(bare) ? plainIPv6(bare) : undefined;
  if (isIP(text) !== 0) return isIPv6(text) ? plainIPv6(text) : text;
  const name = text.toLowerCase().replace(/\.$/, '');
  // What looks like a number is read as an address by some resolvers (127.1, 0x7f.1) and as a name by others.
  const last = name.split('.').at(-1) ?? '';
  return NAME.test(name) && !/^(?:\d+|0x[0-9a-f]*)$/.test(last) ? name : undefined;
}

/** `host`, `host:port` or `[address]:port`. Undefined where it is none. */
export function parseDestination(text: string, defaultPort: number): Destination | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5}))?$/.exec(text);
  const host = normalHost(match?.[1] ?? '');
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

export function formatDestination({ host, port }: Destination): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** `host` of a pattern is exact, or `*.suffix` for every name below the suffix, itself not included. */
export function coveredBy(patterns: readonly Destination[]): (destination: Destination) => boolean {
  const exact = new Set(patterns.map(({ host, port }) => `${host} ${port}`));
  return ({ host, port }) => {
    if (exact.has(`${host} ${port}`)) return true;
    if (isIP(host) !== 0) return false;
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      if (exact.has(`*${host.slice(dot)} ${port}`)) return true;
    }
    return false;
  };
}

/** One way of writing each address. */
function plainIPv6(address: string): string {
  return new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
}
