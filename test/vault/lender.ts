/** A lender over a real Vault, with what it told the masker, the log and the metrics kept for a look. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credential } from '../../crds/bundle.ts';
import { steadyClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { Leases } from '../../proxy/credential/leases.ts';
import type { LeaseLimits } from '../../proxy/credential/lease/caps.ts';
import type { LenderDeps } from '../../proxy/credential/lender.ts';
import { nodeFiles } from '../../proxy/credential/node-files.ts';
import type { VaultSettings } from '../../proxy/credential/vault/access.ts';
import type { TestVault } from '../fixtures/vault.ts';

type Declared = Pick<Credential, 'name' | 'scope' | 'source'>;
type Engine = Extract<Credential['source'], { readonly vault: unknown }>['vault']['engine'];

export interface TestLender extends AsyncDisposable {
  readonly leases: Leases;
  readonly directory: string;
  /** Every value that was ever told to the masker. */
  readonly values: ReadonlySet<string>;
  readonly counts: Readonly<Record<string, number>>;
  /** What the log and the file of leases hold. */
  readonly written: () => Promise<string>;
}

export interface LenderOptions extends Partial<LenderDeps> {
  readonly at?: { readonly address: string; readonly ca: string };
  readonly auth?: VaultSettings['auth'];
  readonly credentials?: readonly Declared[];
  readonly limits?: LeaseLimits;
}

export function fromVault(name: string, engine: Engine, scope: Credential['scope'] = 'Session'): Declared {
  return { name, scope, source: { vault: { role: 'mcp', engine } } };
}

export const USERS = fromVault('db', { dynamic: { mount: 'database', role: 'ro' } });

export async function openLender(vault: TestVault, options: LenderOptions = {}): Promise<TestLender> {
  const { at = vault, auth, credentials = [USERS], limits, ...deps } = options;
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-lender-'));
  const file = join(directory, 'token');
  await writeFile(file, await vault.serviceAccountToken());
  const values = new Set<string>();
  const counts: Record<string, number> = {};
  const lines: string[] = [];
  const count = (what: string) => (_gateway: string, outcome: string) => {
    counts[`${what} ${outcome}`] = (counts[`${what} ${outcome}`] ?? 0) + 1;
  };
  const journalFile = deps.journalFile ?? join(directory, 'leases', 'tools_orders.jsonl');
  const leases = new Leases({
    gateway: 'tools/orders',
    files: nodeFiles,
    clock: steadyClock,
    random: Math.random,
    known: { set: (_owner, told) => told.forEach((value) => values.add(value)) },
    metrics: {
      leases: (_gateway, held) => (counts['held'] = held),
      minted: count('minted'),
      renewed: count('renewed'),
      revoked: count('revoked'),
    },
    log: createLogger({ name: 'test', level: 'debug' }, { write: (line) => lines.push(line) }),
    ...deps,
    journalFile,
  });
  await leases.use({
    credentials,
    limits,
    vault: {
      address: at.address,
      caBundle: at.ca,
      namespace: undefined,
      auth: auth ?? { kind: 'jwt', mount: 'jwt', file },
    },
  });
  return {
    leases,
    directory,
    values,
    counts,
    written: async () => [...lines, await readFile(journalFile, 'utf8').catch(() => '')].join('\n'),
    [Symbol.asyncDispose]: async () => {
      await leases.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
