/** Addresses to listen on, and listening on them. */
import { once } from 'node:events';
import { isIPv6, type Server } from 'node:net';
import { GatehouseError } from './errors.ts';

export interface Address {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export class AddressError extends GatehouseError {
  readonly code = 'bad_address';
}

/** The address cannot be listened on: taken, not ours, or not allowed. */
export class ListenError extends GatehouseError {
  readonly code = 'cannot_listen';
}

/** `host:port`, an IPv6 host in brackets. `what` names it in the sentence of an AddressError. */
export function parseAddress(text: string, what: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new AddressError(`${what} is "${text}", but must be HOST:PORT, such as 127.0.0.1:8400.`);
  }
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Listens and returns where: with port 0 that is only known then. Throws ListenError. */
export async function listen(server: Server, address: Address): Promise<Address> {
  const listening = once(server, 'listening');
  server.listen(address.port, address.host);
  try {
    await listening;
  } catch (cause) {
    throw new ListenError(`Cannot listen on ${formatAddress(address)}: ${reasonOf(cause)}.`, { cause });
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { host: address.host, port: bound.port } : address;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'another process listens there already';
  if (code === 'EACCES') return 'this user may not use that port';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address';
  return error instanceof Error ? error.message : String(error);
}
