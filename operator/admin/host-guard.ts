import type { RequestHandler } from 'express';
import { isIP } from 'node:net';
import { Problem } from '../problem.ts';

/**
 * Refuses requests whose Host is a name that is not ours: a web page that points its own name at this address (DNS
 * rebinding) must not read what only this machine may. An address as Host cannot be rebound.
 */
export function guardHost(own: readonly string[]): RequestHandler {
  const names = new Set(['localhost', ...own.map((name) => name.toLowerCase())]);
  return (request, _response, next) => {
    const name = hostnameOf(request.headers.host ?? '');
    if (!names.has(name) && isIP(name) === 0) {
      throw new Problem('bad_host', 'The Host of the request is not an address of this listener.');
    }
    next();
  };
}

function hostnameOf(host: string): string {
  const bracketed = /^\[([0-9a-f:.]+)\](?::[0-9]+)?$/i.exec(host);
  return (bracketed?.[1] ?? host.replace(/:[0-9]+$/, '')).toLowerCase();
}
