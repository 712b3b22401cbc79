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

/**
 * Listens and returns where: with port 0 that is only known then. `::` stands for every address of the machine, those
 * of IPv4 included, also where its kernel has no IPv6. Throws ListenError.
 */
export async function listen(server: Server, address: Address): Promise<Address> {
  try {
    await listening(server, address);
  } catch (cause) {
    if (address.host === '::' && codeOf(cause) === 'EAFNOSUPPORT')
      return listen(server, { ...address, host: '0.0.0.0' });
    throw new ListenError(`Cannot listen on ${formatAddress(address)}: ${reasonOf(cause)}.`, { cause });
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { host: address.host, port: bound.port } : address;
}

async function listening(server: Server, { host, port }: Address): Promise<void> {
  const event = once(server, 'listening');
  server.listen(port, host);
  await event;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EADDRINUSE') return 'another process listens there already';
  if (code === 'EACCES') return 'this user may not use that port';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address';
  return error instanceof Error ? error.message : String(error);
}
