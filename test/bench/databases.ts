/**
 * What the Postgres egress costs: a query of one row, of 1,000 rows and a result of 100 MB, each directly over TLS and
 * through the egress, without masking policies and with them. Rounds are interleaved. Needs Debian's PostgreSQL.
 */
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import pg from 'pg';
import { startNode } from '../fixtures/child.ts';
import { startPostgres, whyNoPostgres } from '../fixtures/postgres.ts';
import { median } from './figures.ts';
import { addResults } from './results.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const SIZES = { 'one row': 400, '1,000 rows': 40, '100 MB': 1 };
const QUERIES = {
  'one row': 'SELECT 1 AS one',
  '1,000 rows': "SELECT n, 'name ' || n AS name, repeat('x', 40) AS more FROM generate_series(1, 1000) AS n",
  '100 MB': "SELECT repeat('x', 1000) AS s FROM generate_series(1, 100000)",
};
type Query = keyof typeof QUERIES;
const NAMES: readonly Query[] = ['one row', '1,000 rows', '100 MB'];

const missing = whyNoPostgres();
if (missing !== undefined) {
  console.log(`The Postgres egress is not measured: ${missing}`);
  process.exit(0);
}
await using postgres = await startPostgres();
const { host, port, ca, superuser } = postgres;
const described = { host, port, ca, superuser };
const door = (more: object) =>
  startNode([resolve(import.meta.dirname, 'database-door.ts'), JSON.stringify({ ...described, ...more })]);
await using plain = door({ masks: false, judges: true });
await using masking = door({ masks: true, judges: true });

async function connected(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ database: 'postgres', host: '127.0.0.1', ...config });
  await client.connect();
  return client;
}

const portOf = async (child: typeof plain): Promise<number> =>
  Number((await child.printed(/^port (\d+)$/m))[1]);
const anybody = { user: 'any', password: 'body' };
const ways = {
  direct: await connected({ port, ssl: { ca }, user: superuser.user, password: superuser.password }),
  egress: await connected({ port: await portOf(plain), ...anybody }),
  'egress, masking': await connected({ port: await portOf(masking), ...anybody }),
};

/** Milliseconds of each of so many queries, one after the other. */
async function times(client: pg.Client, name: Query): Promise<number[]> {
  const taken: number[] = [];
  for (let time = 0; time < SIZES[name]; time += 1) {
    const started = performance.now();
    await client.query(QUERIES[name]);
    taken.push(performance.now() - started);
  }
  return taken;
}

for (const client of Object.values(ways)) for (const name of NAMES) await times(client, name);
const measured = new Map<string, number[]>();
for (let round = 1; round <= ROUNDS; round += 1) {
  for (const name of NAMES) {
    for (const [way, client] of Object.entries(ways)) {
      const key = `${name} ${way}`;
      measured.set(key, [...(measured.get(key) ?? []), median(await times(client, name))]);
    }
  }
}
for (const client of Object.values(ways)) await client.end();

const of = (name: Query, way: string): number => median(measured.get(`${name} ${way}`) ?? []);
const results = NAMES.flatMap((name) =>
  Object.keys(ways).map((way) => {
    const ms = of(name, way);
    return { name, way, medianMs: ms, moreMs: ms - of(name, 'direct'), ofDirect: of(name, 'direct') / ms };
  }),
);
console.table(
  Object.fromEntries(
    results.map(({ name, way, medianMs, moreMs, ofDirect }) => [
      `${name}, ${way}`,
      { 'ms (median)': medianMs.toFixed(2), 'more ms': moreMs.toFixed(2), 'of direct': ofDirect.toFixed(2) },
    ]),
  ),
);
const databases = { cpu: cpus()[0]?.model, rounds: ROUNDS, queriesARound: SIZES, results };
await addResults({ databases });
