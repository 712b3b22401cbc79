/** The ways to the outside that all gateways of a process share, made from its configuration. */
import { join } from 'node:path';
import type { Address } from '../lib/listen.ts';
import type { Logger } from '../lib/log.ts';
import type { Destination } from './egress/destination.ts';
import { HttpEgress } from './egress/http/index.ts';
import type { Dial } from './egress/postgres/upstream/connect.ts';
import { createDatabaseDial } from './egress/postgres/upstream/dial.ts';
import { createResolve, resolveAsMachine, type Resolve } from './egress/resolve.ts';
import type { NameServers } from './lib/lookup.ts';

/** What of the configuration is about the outside. */
export interface OutsideConfig {
  readonly controlUrl: string;
  readonly recorderUrl: string;
  readonly stateDir: string;
  readonly names: NameServers;
  readonly egress: { readonly listen: Address; readonly trustDirectory: string } | undefined;
}

export function createEgress(config: OutsideConfig, log: Logger): HttpEgress | undefined {
  if (config.egress === undefined) return undefined;
  const { listen, trustDirectory } = config.egress;
  return new HttpEgress({
    listen,
    trustDirectory,
    authorityDirectory: authorityDirectory(config),
    resolve: resolveBy(config.names),
    reserved: reserved(config),
    now: Date.now,
    log,
  });
}

/** Where an installation names its resolvers, no others are asked; on a machine of one's own, the machine is. */
export function dialDatabase(config: OutsideConfig): Dial {
  const resolve = config.names.resolvers.length === 0 ? resolveAsMachine : resolveBy(config.names);
  return createDatabaseDial({ resolve, reserved: reserved(config) });
}

/** One CA for all that a pod's app has to trust. */
export function authorityDirectory({ stateDir }: OutsideConfig): string {
  return join(stateDir, 'egress-authority');
}

function resolveBy({ resolvers, clusterDomain }: NameServers): Resolve {
  return createResolve({ servers: resolvers, clusterDomain, now: Date.now });
}

function reserved({ controlUrl, recorderUrl }: OutsideConfig): Destination[] {
  return [controlUrl, recorderUrl].map(destinationOf);
}

function destinationOf(url: string): Destination {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 443) };
}
