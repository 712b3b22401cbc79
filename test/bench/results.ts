/** The figures of a whole run of `make bench`: one JSON that each bench adds its part to. */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const OUT = process.env['BENCH_OUT'] ?? 'bench-results.json';

/** Begins the JSON anew. */
export async function startResults(results: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(OUT, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`Written to ${OUT}.`);
}

/** Adds a part, or replaces the one of that name. */
export async function addResults(part: Readonly<Record<string, unknown>>): Promise<void> {
  await startResults({ ...(await before()), ...part });
}

/** What the benches before this one wrote, if there were any. */
async function before(): Promise<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(OUT, 'utf8')));
  } catch {
    return {};
  }
}
