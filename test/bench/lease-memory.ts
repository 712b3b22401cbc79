/**
 * What ten thousand sessions cost that each have a lease: memory of the lender and of the masker that knows their
 * values, and how much longer the masker takes for a message. Real Vault, real users of a real PostgreSQL.
 *
 *   node --expose-gc test/bench/lease-memory.ts
 *
 * BENCH_LEASES sizes the run, BENCH_OUT names the JSON that it adds its figures to.
 */
import { silentLogger } from '../../lib/log.ts';
import { compileMasker, createKnownSecrets } from '../../proxy/engine/mask/index.ts';
import { startPostgres, whyNoPostgres } from '../fixtures/postgres.ts';
import { connectDatabase, startVault, whyNoVault } from '../fixtures/vault.ts';
import { openLender } from '../vault/lender.ts';
import { median } from './figures.ts';
import { addResults } from './results.ts';

const LEASES = Number(process.env['BENCH_LEASES'] ?? 10_000);
const AT_ONCE = 8;
const ROUNDS = 9;

const missing = whyNoVault() ?? whyNoPostgres();
if (missing === undefined) await measure();
else console.log(`Memory of leases is not measured: ${missing}`);

interface Memory {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

function memory(): Memory {
  for (let time = 0; time < 3; time += 1) globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + arrayBuffers, residentBytes: rss };
}

async function measure(): Promise<void> {
  await using vault = await startVault();
  await using postgres = await startPostgres();
  await connectDatabase(vault, postgres);
  const known = createKnownSecrets({ now: Date.now });
  await using lender = await openLender(vault, {
    known,
    log: silentLogger(),
    limits: { held: LEASES + 1, mintsPerMinute: 10 * LEASES, atOnce: AT_ONCE },
  });
  const lend = async (session: string): Promise<void> => {
    const lease = await lender.leases.lend('db', { session });
    if (lease.fields.size === 0) throw new Error('The lease has no fields.');
  };
  // What the first lease loads is there with one session too.
  await lend('first');
  const millisecondsWithOne = maskingTime();
  const before = memory();
  const started = performance.now();
  let left = LEASES;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await lend(`session-${left}`);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - started) / 1000;
  const after = memory();
  const leaseMemory = {
    leases: LEASES,
    values: known.size,
    heapBytes: after.heapBytes - before.heapBytes,
    residentBytes: after.residentBytes - before.residentBytes,
    mintsPerSecond: LEASES / seconds,
    maskingTimes: maskingTime() / millisecondsWithOne,
  };
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);
  console.log(
    `${LEASES} sessions with leases take ${mega(leaseMemory.heapBytes)} MB of heap and buffers more than one, ` +
      `${mega(leaseMemory.residentBytes)} MB resident. Masking 1 MB takes ${leaseMemory.maskingTimes.toFixed(2)} times as long. ` +
      `${leaseMemory.mintsPerSecond.toFixed(0)} were minted a second.`,
  );
  await addResults({ leaseMemory });

  /** Milliseconds for a message of 1 MB without a secret in it. */
  function maskingTime(): number {
    const masker = compileMasker([], { known, hashKey: new Uint8Array(32) });
    const rows = Array.from({ length: 9000 }, (_, row) => ({
      row,
      name: `name of row ${row}`,
      note: 'x'.repeat(70),
    }));
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { structuredContent: { rows } } });
    const times = Array.from({ length: ROUNDS }, () => {
      const from = performance.now();
      masker.message(text, { purpose: 'release' });
      return performance.now() - from;
    });
    return median(times);
  }
}
