/** A Vault, a PostgreSQL, and a second Gatehouse that lends each session a user of that database. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { freePort, startNode, type Child } from '../../../test/fixtures/child.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../../../test/fixtures/postgres.ts';
import { connectDatabase, startVault, whyNoVault, type TestVault } from '../../../test/fixtures/vault.ts';
import type { Parts } from '../parts.ts';

export interface Ledger extends AsyncDisposable {
  /** Where clients call. */
  readonly url: string;
  /** Names of the users that Vault has made in the database and that are there now. */
  readonly users: () => Promise<readonly string[]>;
}

/** Undefined when it can be opened, else a sentence with the command that brings what is missing. */
export const whyNoLedger = (): string | undefined => whyNoVault() ?? whyNoPostgres();

export async function openLedger(parts: Pick<Parts, 'issuer' | 'url' | 'scratch'>): Promise<Ledger> {
  const stack = new AsyncDisposableStack();
  try {
    const [vault, postgres] = await Promise.all([startVault(), startPostgres()]);
    stack.use(vault);
    stack.use(postgres);
    await connectDatabase(vault, postgres);
    await postgres.query(
      "CREATE TABLE ledger (entry int, what text); INSERT INTO ledger VALUES (1, 'opening balance')",
    );
    const { child, url } = await guard(parts, vault, postgres);
    stack.use(child);
    const disposal = stack.move();
    return {
      url,
      users: async () =>
        (await postgres.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%' ORDER BY 1"))
          .split('\n')
          .filter((name) => name !== ''),
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  } finally {
    await stack.disposeAsync();
  }
}

async function guard(
  { issuer, url: audience, scratch }: Pick<Parts, 'issuer' | 'url' | 'scratch'>,
  vault: TestVault,
  postgres: Postgres,
): Promise<{ child: Child; url: string }> {
  const listen = `127.0.0.1:${await freePort()}`;
  const url = `http://${listen}/mcp`;
  const manifests = join(scratch, 'ledger');
  await mkdir(manifests);
  const template = await readFile(join(import.meta.dirname, 'gateway.yaml'), 'utf8');
  const values: Readonly<Record<string, string>> = {
    NODE: process.execPath,
    PROGRAM: serverProgram(),
    PUBLIC_URL: url,
    ISSUER: issuer,
    AUDIENCE: audience,
    LISTEN: String(await freePort()),
    UPSTREAM: `${postgres.host}:${postgres.port}`,
    CA: JSON.stringify(postgres.ca),
  };
  await writeFile(
    join(manifests, 'gateway.yaml'),
    template.replace(/\$\{([A-Z_]+)\}/g, (whole, key: string) => values[key] ?? whole),
  );
  const tokenFile = join(scratch, 'vault-token');
  await writeFile(tokenFile, await tokenOf(vault), { mode: 0o600 });
  const cli = resolve(import.meta.dirname, '../../../cli/main.ts');
  const args = [cli, 'standalone', manifests, '--listen', listen, '--admin', `127.0.0.1:${await freePort()}`];
  const child = startNode(args, {
    env: {
      VAULT_ADDR: vault.address,
      VAULT_CACERT: vault.caFile,
      GATEHOUSE_VAULT_TOKEN_FILE: tokenFile,
    },
  });
  await child.printed(new RegExp(`^.*ready.*${listen}`, 'im'));
  return { child, url };
}

/** Of a token that may do what the policy of the demo's role says, and nothing else. */
async function tokenOf(vault: TestVault): Promise<string> {
  const { auth } = await vault.api('POST', 'auth/token/create', { policies: ['mcp'], ttl: '1h' });
  if (auth === undefined || auth === null) throw new Error('Vault made no token.');
  return auth.client_token;
}

function serverProgram(): string {
  const require = createRequire(import.meta.url);
  return join(require.resolve('@modelcontextprotocol/server-postgres/package.json'), '../dist/index.js');
}
