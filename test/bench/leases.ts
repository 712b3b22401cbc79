/** Database users made a second, by the lender and by bare requests to the same Vault, eight at a time. */
import { startPostgres, whyNoPostgres } from '../fixtures/postgres.ts';
import { connectDatabase, startVault, whyNoVault, type TestVault } from '../fixtures/vault.ts';
import { openLender } from '../vault/lender.ts';
import { median } from './figures.ts';

export interface LeaseFigures {
  readonly barePerSecond: number;
  readonly lentPerSecond: number;
  /** Of the bare one. */
  readonly part: number;
}

const AT_ONCE = 8;
const ROUNDS = 3;
const MINTS = 100;

/** A sentence where the parts are missing. */
export async function leaseFigures(): Promise<LeaseFigures | string> {
  const missing = whyNoVault() ?? whyNoPostgres();
  if (missing !== undefined) return missing;
  await using vault = await startVault();
  await using postgres = await startPostgres();
  await connectDatabase(vault, postgres);
  const rounds: { bare: number; lent: number }[] = [];
  // The first round is for the connections that both keep.
  for (let round = 0; round <= ROUNDS; round += 1)
    rounds.push({ bare: await bare(vault), lent: await lent(vault) });
  const of = (name: 'bare' | 'lent'): number => median(rounds.slice(1).map((round) => round[name]));
  return { barePerSecond: of('bare'), lentPerSecond: of('lent'), part: of('lent') / of('bare') };
}

async function bare(vault: TestVault): Promise<number> {
  let left = MINTS;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await vault.api('GET', 'database/creds/ro');
  };
  const rate = await perSecond(() => Promise.all(Array.from({ length: AT_ONCE }, worker)));
  await vault.api('PUT', 'sys/leases/revoke-prefix/database/creds/ro');
  return rate;
}

async function lent(vault: TestVault): Promise<number> {
  await using lender = await openLender(vault, {
    limits: { held: MINTS + 1, mintsPerMinute: 100_000, atOnce: AT_ONCE },
  });
  await lender.leases.lend('db', { session: 'first' });
  // Awaited here: the lender must not be closed before.
  return await perSecond(() =>
    Promise.all(Array.from({ length: MINTS }, (_, n) => lender.leases.lend('db', { session: `s${n}` }))),
  );
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (MINTS * 1000) / (performance.now() - started);
}
