/**
 * Throughput of 1 KB tool calls over 16 connections: to the server directly, through a bare `node:http` relay,
 * through `http-proxy`, as it comes and with keep-alive, and through Gatehouse with everything on; and what Gatehouse's proxy holds in memory after
 * 100,000 calls. Before that, what understanding a statement costs. Rounds are interleaved, so that a slow minute of the machine hits all alike.
 *
 * Gatehouse is bundled as the image has it, and runs without a cache of compiled code, as it does there.
 *
 * BENCH_OUT names the JSON file (default bench-results.json); BENCH_ROUNDS and BENCH_SECONDS size the run.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundle } from '../../hack/image/bundle.ts';
import { startNode } from '../fixtures/child.ts';
import { startGatehouse } from '../fixtures/gatehouse.ts';
import { startIssuer } from '../fixtures/issuer.ts';
import { shareOut } from './cores.ts';
import { type LoadFigures, loadFigures, median } from './figures.ts';
import { guardFigures, guardTable } from './guard.ts';
import { leaseFigures } from './leases.ts';
import { everythingOn } from './manifests.ts';
import { childWith, memoryOf } from './proc.ts';
import { startResults } from './results.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 3);
const MEMORY_CALLS = Number(process.env['BENCH_MEMORY_CALLS'] ?? 100_000);
const URL_LINE = /^(http:\S+)$/m;
/** A hundred thousand calls of a slow proxy on a slow machine. */
const LOAD_MS = 900_000;

const guard = await guardFigures();
console.log('Understanding one statement or command:');
console.table(guardTable(guard));

const leases = await leaseFigures();
console.log('Database users made a second, eight at a time, by bare requests to Vault and by the lender:');
console.log(leases);

const script = (name: string): string => resolve(import.meta.dirname, name);
const cores = shareOut();
console.log(cores.note);

await using upstream = startNode([script('upstream.ts')], { prefix: cores.load });
const [, direct = ''] = await upstream.printed(URL_LINE);
await using bare = startNode([script('relay.ts'), 'http', direct], { prefix: cores.measured });
await using packaged = startNode([script('relay.ts'), 'http-proxy', direct], { prefix: cores.measured });
await using kept = startNode([script('relay.ts'), 'http-proxy-keep-alive', direct], {
  prefix: cores.measured,
});
await using issuer = await startIssuer();
const built = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
process.once('exit', () => rmSync(built, { recursive: true, force: true }));
await bundle(built);
await using gatehouse = await startGatehouse(everythingOn(direct, issuer.url), {
  program: join(built, 'main.mjs'),
  prefix: cores.load,
  env: { NODE_DISABLE_COMPILE_CACHE: '1' },
});
const proxy = await childWith(gatehouse.child.pid, 'proxy');
await cores.moveToMeasured(proxy);
const token = await issuer.token({ sub: 'bench', aud: gatehouse.url, groups: ['support'] });

const targets = {
  direct,
  'node:http relay': (await bare.printed(URL_LINE))[1] ?? '',
  'http-proxy relay': (await packaged.printed(URL_LINE))[1] ?? '',
  'http-proxy relay, keep-alive': (await kept.printed(URL_LINE))[1] ?? '',
  'gatehouse, everything on': gatehouse.url,
};

async function load(url: string, ...amount: string[]): Promise<LoadFigures> {
  await using generator = startNode([script('load.ts'), '--url', url, '--token', token, ...amount], {
    prefix: cores.load,
  });
  const [line] = await generator.printed(/^\{.*\}$/m, LOAD_MS);
  return loadFigures.parse(JSON.parse(line));
}

const rounds = new Map<string, LoadFigures[]>(Object.keys(targets).map((name) => [name, []]));
// Long enough for what is measured to be compiled.
for (const url of Object.values(targets)) await load(url, '--calls', '8000');
for (let round = 1; round <= ROUNDS; round += 1) {
  for (const [name, url] of Object.entries(targets)) {
    rounds.get(name)?.push(await load(url, '--seconds', String(SECONDS)));
  }
  console.log(`Round ${round} of ${ROUNDS} is done.`);
}
await load(gatehouse.url, '--calls', String(MEMORY_CALLS));
const memory = await memoryOf(proxy);

const results = [...rounds].map(([name, figures]) => ({
  name,
  perSecond: median(figures.map((figure) => figure.perSecond)),
  p50Ms: median(figures.map((figure) => figure.p50Ms)),
  p99Ms: median(figures.map((figure) => figure.p99Ms)),
}));
const reference = (name: string): number => results.find((result) => result.name === name)?.perSecond ?? NaN;
const ratios = results.map((result) => ({
  ...result,
  ofDirect: result.perSecond / reference('direct'),
  ofHttpProxy: result.perSecond / reference('http-proxy relay'),
}));
console.table(
  Object.fromEntries(
    ratios.map(({ name, perSecond, p50Ms, p99Ms, ofDirect, ofHttpProxy }) => [
      name,
      {
        'calls/s': Math.round(perSecond),
        'p50 ms': p50Ms.toFixed(2),
        'p99 ms': p99Ms.toFixed(2),
        '× direct': ofDirect.toFixed(2),
        '× http-proxy': ofHttpProxy.toFixed(2),
      },
    ]),
  ),
);
const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);
console.log(
  `The proxy holds ${mega(memory.resident)} MB after ${MEMORY_CALLS} further calls, ${mega(memory.anonymous)} MB of them its own and not a file's.`,
);
// Last, when nothing else runs: it measures as soon as it is loaded.
const { egress } = await import('./egress.ts');
await startResults({
  at: new Date().toISOString(),
  cpu: cpus()[0]?.model,
  pinning: cores.note,
  rounds: ROUNDS,
  secondsARound: SECONDS,
  results: ratios,
  guard,
  leases,
  egress,
  proxyResidentBytes: memory.resident,
  proxyAnonymousBytes: memory.anonymous,
  memoryCalls: MEMORY_CALLS,
});
