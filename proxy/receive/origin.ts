/** Host and Origin: what stops a web page from reaching a gateway through a browser (DNS rebinding). */
import { Refusal } from '../refusal.ts';

/** The authorities that a listener answers to. */
export type Authorities = ReadonlySet<string>;

/**
 * `host:port` of the listener, of loopback when it listens there, and of publicUrl; lower case.
 * A listener on all addresses is reached by names nobody can list: then only publicUrl and loopback count.
 */
export function authoritiesOf(
  listen: { readonly host: string; readonly port: number },
  publicUrl: string | undefined,
): Authorities {
  const authorities = new Set<string>();
  for (const host of [listen.host, 'localhost', '127.0.0.1', '[::1]']) {
    authorities.add(
      `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${listen.port}`.toLowerCase(),
    );
  }
  if (publicUrl !== undefined) authorities.add(new URL(publicUrl).host);
  return authorities;
}

/** Throws a Refusal for a foreign Host or Origin. A request without Origin comes from no browser. */
export function checkOrigin(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  allowed: Authorities,
): void {
  if (headers.host === undefined || !allowed.has(headers.host.toLowerCase())) {
    throw new Refusal(
      'bad_host',
      "The Host header names neither this listener nor the gateway's publicUrl.",
      { status: 403, as: -32600 },
    );
  }
  if (headers.origin !== undefined && !allowed.has(authorityOf(headers.origin))) {
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

function authorityOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}
