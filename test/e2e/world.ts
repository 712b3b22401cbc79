/** What most of these tests need: an issuer, a server that follows a script, and a gateway between them and the test. */
import { type Gatehouse, type Manifest, startGatehouse } from '../fixtures/gatehouse.ts';
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
  readonly policies?: readonly Manifest[];
  readonly files?: Readonly<Record<string, string>>;
}

/** Everything is open to whoever is signed in. */
export const OPEN = [{ authenticated: true, tools: ['*'], prompts: ['*'], resources: ['*'], methods: ['*'] }];

export async function startWorld({
  spec = {},
  policies = [],
  files = {},
}: WorldOptions = {}): Promise<World> {
  const issuer = await startIssuer();
  const server = await startScriptedServer();
  const gatehouse = await startGatehouse(
    (url) => [
      gateway('main', { server: { url: server.url }, ...signedIn(issuer, url), ...spec }),
      ...policies,
    ],
    { files },
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
