/** The same work done in other ways: every pattern after the other, with JavaScript's engine, with re2js, and alcatraz. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RE2JS } from 're2js';
import { z } from 'zod';
import { PRESETS } from '../../../proxy/engine/mask/detectors/index.ts';

export interface Rival {
  readonly name: string;
  /** Microseconds of CPU for one round over the text; undefined where it cannot be had here. */
  readonly micros: (text: string) => number | undefined;
}

const detectors = Object.values(PRESETS).flat();
const sources = detectors.flatMap((detector) =>
  detector.cue === 'literal' ? [(detector.before ?? '') + detector.pattern] : [],
);
const numbers = detectors.flatMap((detector) => (detector.cue === 'digits' ? [detector.pattern] : []));

/** `values` are looked for by indexOf, as they are: no encoding of them is found. */
export function rivals(values: readonly string[]): Rival[] {
  const native = [...sources.map((source) => new RegExp(source, 'g')), ...numbers];
  const linear = sources.map((source) => RE2JS.compile(asRe2(source)));
  const known = (text: string): number => values.filter((value) => text.includes(value)).length;
  return [
    {
      name: 'JavaScript regular expressions, one after the other',
      micros: (text) =>
        timed(1, () => known(text) + native.reduce((sum, one) => sum + [...text.matchAll(one)].length, 0)),
    },
    {
      name: 're2js, one after the other',
      // A tenth, because it takes minutes.
      micros: (text) => {
        const part = text.slice(0, text.length / 10);
        return 10 * timed(1, () => known(part) + linear.reduce((sum, one) => sum + count(one, part), 0));
      },
    },
    { name: 'github.com/hoophq/alcatraz (Go), without known secrets', micros: alcatraz },
  ];
}

/** RE2 takes no great counts, and looks neither back nor ahead. */
function asRe2(source: string): string {
  return source
    .replaceAll(/\{(\d+),\d{4,}\}/g, '{$1,}')
    .replaceAll(/\)\{0,\d+\}/g, ')*')
    .replaceAll(/\(\?<?[=!](?:[^()]|\([^()]*\))*\)/g, '');
}

function count(regexp: RE2JS, text: string): number {
  const matcher = regexp.matcher(text);
  let found = 0;
  while (matcher.find()) found += 1;
  return found;
}

/** Microseconds of CPU that one round takes. */
export function timed(rounds: number, work: () => unknown): number {
  const start = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / rounds;
}

let built: string | undefined;
const figures = z.object({ micros: z.number() });

function alcatraz(text: string): number | undefined {
  if (built === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-alcatraz-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
    const out = join(directory, 'alcatraz');
    const cwd = resolve(import.meta.dirname, '../alcatraz');
    const build = spawnSync('go', ['build', '-o', out, '.'], { cwd, encoding: 'utf8', timeout: 300_000 });
    if (build.status !== 0)
      console.log(`alcatraz cannot be built here: ${build.error?.message ?? build.stderr}`);
    built = build.status === 0 ? out : '';
  }
  if (built === '') return undefined;
  const run = spawnSync(built, ['3'], { input: text, encoding: 'utf8', maxBuffer: 1e8, timeout: 300_000 });
  return run.status === 0 ? figures.parse(JSON.parse(run.stdout)).micros : undefined;
}
