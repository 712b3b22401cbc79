import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseAddress } from '../lib/listen.ts';
import { createLogger } from '../lib/log.ts';
import { readSettings, SettingsError, type Settings } from '../operator/cluster/settings.ts';
import { ConfigError, readOperatorConfig, readVaultConfig } from '../operator/config.ts';
import { ChildFailed } from '../operator/standalone/child.ts';
import { ManifestsRefused, startStandalone, type Standalone } from '../operator/standalone/index.ts';
import { RootsUnreadable } from '../operator/standalone/vault.ts';
import { UsageError, type Io } from './io.ts';
import { ALLOCATOR, NODE_FLAGS } from './runtime.ts';

const HELP = `Usage: gatehouse standalone DIR [options]

Guards MCP servers on this machine with the manifests in DIR, which is watched: an edit is in force at once.

  --listen HOST:PORT   where MCP clients connect (default 127.0.0.1:8400)
  --egress HOST:PORT   where servers call to the outside, once a gateway has egress (default 127.0.0.1:8410)
  --egress-ca FILE     roots beside those of the system that vouch for upstreams, databases and Vault, PEM
  --resolver ADDRESS   asked for names of the outside instead of the machine's own; ADDRESS:PORT, several times
  --admin HOST:PORT    health, metrics, status, approvals (default 127.0.0.1:8420)
  --settings FILE      YAML of the installation: who approvers are, how they are asked, the console, floors
  --state DIR          records, approvals, spool, keys (default DIR/.gatehouse)

Credentials from Vault, with these in the environment:

  VAULT_ADDR                     https://HOST:PORT
  VAULT_CACERT                   file of the roots that vouch for it (default: those of the system)
  VAULT_NAMESPACE                where it has namespaces
  GATEHOUSE_VAULT_TOKEN_FILE     file with a token, or instead of it
  GATEHOUSE_VAULT_APPROLE_FILE   file with {"ROLE": {"role_id": "…", "secret_id": "…"}}, by the role of a credential
  GATEHOUSE_VAULT_APPROLE_MOUNT  where AppRole is mounted (default approle)

One line on stdout says when it is ready and where. SIGTERM or Ctrl-C ends it in good order.
`;

/** What this process runs, from source or bundled; its children run it too. */
function thisProgram(): string {
  const [, script] = process.argv;
  if (script === undefined)
    throw new UsageError('gatehouse standalone starts itself again, so it has to be started as a program.');
  return script;
}

/** `gatehouse standalone DIR`: runs until it is told to stop. */
export async function runStandalone(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      listen: { type: 'string', default: '127.0.0.1:8400' },
      egress: { type: 'string', default: '127.0.0.1:8410' },
      'egress-ca': { type: 'string' },
      resolver: { type: 'string', multiple: true, default: [] },
      admin: { type: 'string', default: '127.0.0.1:8420' },
      state: { type: 'string' },
      settings: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const [directory, ...more] = positionals;
  if (directory === undefined || more.length > 0) {
    throw new UsageError('gatehouse standalone takes one directory of manifests: gatehouse standalone DIR.');
  }
  const listen = parseAddress(values.listen, '--listen');
  const admin = parseAddress(values.admin, '--admin');
  const egress = {
    listen: parseAddress(values.egress, '--egress'),
    resolvers: values.resolver,
  };
  await checkDirectory(directory);
  try {
    const config = readOperatorConfig();
    const log = createLogger({ name: 'operator', level: config.logLevel }, io.stderr);
    const standalone = await startStandalone(
      {
        directory: resolve(directory),
        state: resolve(values.state ?? join(directory, '.gatehouse')),
        listen,
        admin,
        egress,
        upstreamRootsFile: values['egress-ca'] === undefined ? undefined : resolve(values['egress-ca']),
        logLevel: config.logLevel,
        settings: await readStandaloneSettings(values.settings),
        vault: readVaultConfig(),
        inherited: { ...ALLOCATOR, ...config.inherited },
        gatehouse: [process.execPath, ...NODE_FLAGS, thisProgram()],
      },
      { log, stderr: io.stderr },
    );
    io.stdout.write(readyLine(standalone));
    if (!io.stop.aborted) await once(io.stop, 'abort');
    await standalone.close();
    return 0;
  } catch (error) {
    // What the user can mend by another directory, address or manifest is theirs to mend: exit 2.
    if (isUsersToMend(error)) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new UsageError(`${resolve(directory)} is not a directory; name the one that holds the manifests.`);
}

/** What is for sidecars alone would do nothing here, and is refused. */
async function readStandaloneSettings(path: string | undefined): Promise<Settings> {
  const settings = await readSettings(path);
  if (settings.vault !== undefined)
    throw new UsageError(
      `The settings in ${path ?? ''} have vault, which is for a cluster; name it in the environment (see --help).`,
    );
  if (settings.upstreamRoots !== undefined)
    throw new UsageError(
      `The settings in ${path ?? ''} have upstreams, which is for a cluster; name their roots with --egress-ca.`,
    );
  if (settings.injection === undefined) return settings;
  throw new UsageError(`The settings in ${path ?? ''} have injection, which is for a cluster; leave it out.`);
}

function isUsersToMend(error: unknown): error is Error {
  if (error instanceof ChildFailed) return error.exitCode === 2;
  return [ManifestsRefused, ConfigError, SettingsError, RootsUnreadable].some(
    (kind) => error instanceof kind,
  );
}

function readyLine({ endpoints, adminUrl }: Standalone): string {
  const served = endpoints.map(({ gateway, url }) => `${url} (${gateway})`).join(', ');
  return `gatehouse is ready: ${served}; admin ${adminUrl}\n`;
}
