/**
 * How long a change of policy takes from `kubectl apply` to 200 sidecars: a real API server, the operator as a process,
 * and simulated sidecars with streams of their own. Adds its figures to the JSON of the run before it.
 *
 * BENCH_OUT names that JSON; BENCH_SIDECARS and BENCH_EDITS size the run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { hasApiServer } from '../api-server/api-server.ts';
import { startFleet } from '../api-server/fleet.ts';
import { median } from './figures.ts';
import { addResults } from './results.ts';

const SIDECARS = Number(process.env['BENCH_SIDECARS'] ?? 200);
const EDITS = Number(process.env['BENCH_EDITS'] ?? 20);

if (hasApiServer()) await measure();
else console.log('How fast a policy spreads was left out: there is no API server; `make tools` brings one.');

async function measure(): Promise<void> {
  await using fleet = await startFleet(SIDECARS);
  // The first one waits for every sidecar to have connected.
  await fleet.edit();
  const edits: number[][] = [];
  for (let count = 0; count < EDITS; count += 1) {
    // Changes that come together make one.
    await delay(200);
    edits.push([...(await fleet.edit()).afterMs].sort((a, b) => a - b));
  }
  const first = median(edits.map((afterMs) => afterMs[0] ?? NaN));
  const last = edits.map((afterMs) => afterMs.at(-1) ?? NaN);
  const policySpread = {
    sidecars: SIDECARS,
    edits: EDITS,
    firstMs: Math.round(first),
    lastMs: Math.round(median(last)),
    worstMs: Math.round(Math.max(...last)),
    streamsOpened: fleet.opened(),
  };
  console.log(
    `A change of policy reaches the first of ${SIDECARS} sidecars after ${policySpread.firstMs} ms and the last after ` +
      `${policySpread.lastMs} ms (medians of ${EDITS}; at worst ${policySpread.worstMs} ms).`,
  );
  await addResults({ policySpread });
}
