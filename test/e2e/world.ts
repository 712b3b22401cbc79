/** What most of these tests need: an issuer, a server that follows a script, and a gateway between them and the test. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import type { ChildOptions } from '../fixtures/child.ts';
import {
  type Gatehouse,
  type GatehouseOptions,
  type Manifest,
  startGatehouse,
} from '../fixtures/gatehouse.ts';
import { type Issuer, startIssuer } from '../fixtures/issuer.ts';
import type { Way } from '../fixtures/hand-client.ts';
import { type ScriptedServer, startScriptedServer } from '../fixtures/scripted-server.ts';

export interface World extends AsyncDisposable {
  readonly issuer: Issuer;
  readonly server: ScriptedServer;
  readonly gatehouse: Gatehouse;
  readonly url: string;
  /** A way to the gateway for a person. */
  readonly as: (person: string, groups?: readonly string[]) => Promise<Way & { readonly token: string }>;
}

export interface WorldOptions {
  /** Members of the McpGateway's spec that replace the defaults. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Further members of spec.server. */
  readonly server?: Readonly<Record<string, unknown>>;
  readonly policies?: readonly Manifest[];
  readonly files?: Readonly<Record<string, string>>;
  /** Environment and command line of `gatehouse standalone`. */
  readonly child?: ChildOptions & Pick<GatehouseOptions, 'args'>;
}

/** Everything is open to whoever is signed in. */
export const OPEN = [{ authenticated: true, tools: ['*'], prompts: ['*'], resources: ['*'], methods: ['*'] }];

export async function startWorld({
  spec = {},
  server: more = {},
  policies = [],
  files = {},
  child = {},
}: WorldOptions = {}): Promise<World> {
  const issuer = await startIssuer();
  const server = await startScriptedServer();
  const gatehouse = await startGatehouse(
    (url) => [
      gateway('main', { server: { url: server.url, ...more }, ...signedIn(issuer, url), ...spec }),
      ...policies,
    ],
    { files, ...child },
  );
  return {
    issuer,
    server,
    gatehouse,
    url: gatehouse.url,
    as: async (person, groups = []) => ({
      url: gatehouse.url,
      token: await issuer.token({ sub: person, aud: gatehouse.url, groups: [...groups] }),
    }),
    [Symbol.asyncDispose]: async () => {
      await gatehouse[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

export function gateway(name: string, spec: Readonly<Record<string, unknown>>): Manifest {
  return { kind: 'McpGateway', metadata: { name }, spec };
}

/** A gateway's members that let in whoever the issuer knows, as often as a test likes. */
export function signedIn(issuer: Issuer, url: string): Record<string, unknown> {
  return {
    publicUrl: url,
    identity: [{ name: 'staff', oidc: { issuer: issuer.url } }],
    access: OPEN,
    limits: { callsPerMinute: 100_000 },
  };
}

const status = z.looseObject({
  ready: z.boolean(),
  problems: z.array(z.string()),
  warnings: z.array(z.string()),
  gateways: z.array(
    z.looseObject({
      name: z.string(),
      revision: z.string(),
      applied: z.array(z.looseObject({ revision: z.string() })),
    }),
  ),
  processes: z.array(z.looseObject({ name: z.string(), running: z.boolean(), restarts: z.number() })),
});

/** What GET /v1/status says. */
export async function statusOf({ admin }: Pick<Gatehouse, 'admin'>): Promise<z.infer<typeof status>> {
  return status.parse(await (await fetch(`${admin}/v1/status`)).json());
}

/** Rewrites the manifests and waits until the proxy has put them in force. */
export async function edit({ gatehouse }: World, change: (manifests: string) => string): Promise<void> {
  const revisions = async (): Promise<string> =>
    JSON.stringify((await statusOf(gatehouse)).gateways.map(({ name, revision }) => [name, revision]));
  const before = await revisions();
  await rewrite(gatehouse, change);
  await expect.poll(revisions, { timeout: 10_000, interval: 20 }).not.toBe(before);
  const applied = async (): Promise<boolean> =>
    (await statusOf(gatehouse)).gateways.every(
      ({ revision, applied: [last] }) => last?.revision === revision,
    );
  await expect.poll(applied, { timeout: 10_000, interval: 20 }).toBe(true);
}

export async function rewrite(
  { directory }: Pick<Gatehouse, 'directory'>,
  change: (manifests: string) => string,
): Promise<void> {
  const file = join(directory, 'manifests.yaml');
  const before = await readFile(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error('The edit changes nothing.');
  await writeFile(file, after);
}
