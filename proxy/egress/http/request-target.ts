/** Where a request of HTTP/1.1 goes, when everything that says so agrees. Pure. */
import { formatDestination, parseDestination, type Destination } from '../destination.ts';
import { EgressRefused } from '../refused.ts';
import { valuesOf, type Headers } from './headers.ts';

interface Target {
  readonly secure: boolean;
  readonly destination: Destination;
  readonly path: string;
}

/** RFC 9112, 3.2.2: `http://host/path?query`, as a proxy gets it. */
const ABSOLUTE = /^(https?):\/\/([^/?#]*)([^#]*)/i;

/** Throws EgressRefused where the target, Host and what the connection was `opened` for do not say the same. */
export function targetOf(url: string, headers: Headers, opened: Destination | undefined): Target {
  const { scheme, authority, path } = partsOf(url);
  const secure = opened !== undefined || scheme === 'https';
  const defaultPort = secure ? 443 : 80;
  const [host = '', ...more] = valuesOf(headers, 'host');
  const destination = parseDestination(host, defaultPort);
  if (destination === undefined || more.length > 0)
    throw new EgressRefused('bad_request', 'A request must have one Host header that names a host.');
  const others = [
    authority === undefined ? destination : parseDestination(authority, defaultPort),
    opened ?? destination,
  ];
  if (path === undefined || others.some((other) => !same(destination, other)))
    throw misdirected(host, opened);
  return { secure, destination, path };
}

function misdirected(host: string, opened: Destination | undefined): EgressRefused {
  const open = opened === undefined ? '' : ` (${formatDestination(opened)})`;
  return new EgressRefused(
    'misdirected',
    `The request names ${host}, and its connection or its target another host${open}.`,
  );
}

/** `path` is undefined for a target that is neither absolute nor a path. */
function partsOf(url: string): { scheme?: string; authority?: string; path: string | undefined } {
  const [, scheme, authority, rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (scheme === undefined || authority === undefined) return { path: /^[/*]/.test(url) ? url : undefined };
  return { scheme: scheme.toLowerCase(), authority, path: rest.startsWith('/') ? rest : `/${rest}` };
}

function same(a: Destination, b: Destination | undefined): boolean {
  return a.host === b?.host && a.port === b.port;
}
