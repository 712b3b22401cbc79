/** Runs the published conformance suite against a URL and reads the checks it wrote. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { startNode } from '../fixtures/child.ts';

/** Which scenarios, and at which revision: the arguments that the suite's own command line takes. */
const selections = {
  '2025-06-18': ['--suite', 'all', '--spec-version', '2025-06-18'],
  '2025-11-25': ['--requirements', '2025-11-25'],
  '2026-07-28': ['--requirements', '2026-07-28'],
} as const;

export type Selection = keyof typeof selections;

/** A run takes seconds; through something broken each scenario may wait for its own time limit. */
const SUITE_MS = 180_000;

const statuses = z.enum(['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED', 'INFO']);
const writtenChecks = z.array(
  z.object({ id: z.string(), status: statuses, errorMessage: z.string().optional() }),
);

export interface Check {
  /** `scenario › id`, and `#n` from the second check of that id on: the same in every run of a selection. */
  readonly key: string;
  readonly status: z.infer<typeof statuses>;
  readonly message: string;
}

/** Runs one selection. INFO entries are left out: they tell of the run, and differ from run to run. */
export async function runSuite(url: string, selection: Selection): Promise<Check[]> {
  const out = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'));
  try {
    await using suite = startNode(
      [suiteScript(), 'server', '--url', url, ...selections[selection], '-o', out],
      { cwd: out },
    );
    await suite.printed(/^Total: \d+ passed/m, SUITE_MS);
    return await readChecks(out);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

function suiteScript(): string {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
  return join(dirname(manifest), 'dist/index.js');
}

async function readChecks(out: string): Promise<Check[]> {
  const checks: Check[] = [];
  for (const folder of (await readdir(out)).sort()) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1];
    if (scenario === undefined) throw new Error(`The suite wrote a folder of an unknown name, ${folder}.`);
    const written = writtenChecks.parse(JSON.parse(await readFile(join(out, folder, 'checks.json'), 'utf8')));
    const seen = new Map<string, number>();
    for (const { id, status, errorMessage = '' } of written.filter((check) => check.status !== 'INFO')) {
      const occurrence = (seen.get(id) ?? 0) + 1;
      seen.set(id, occurrence);
      checks.push({
        key: `${scenario} › ${id}${occurrence > 1 ? ` #${occurrence}` : ''}`,
        status,
        message: errorMessage,
      });
    }
  }
  return checks;
}
