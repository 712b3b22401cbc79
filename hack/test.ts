/**
 * Runs the tests and ends with `N passed, N failed, N skipped`, alone on the last line.
 *
 *   node hack/test.ts [all|unit|conformance|cluster|vault|browser] [--forbid-skips] [path…]
 */
import { parseArgs } from 'node:util';
import { configDefaults } from 'vitest/config';
import { type CliOptions, startVitest, type TestModule } from 'vitest/node';

const CONFORMANCE = 'test/conformance/**';
const CLUSTER = 'test/cluster/**';
const VAULT = 'test/vault/**';
const BROWSER = 'test/browser/**';
/** Lets all cluster tests of a run share one cluster. */
const globalSetup = ['test/cluster/global-setup.ts'];

const groups = {
  all: { exclude: configDefaults.exclude, globalSetup },
  unit: { exclude: [...configDefaults.exclude, CONFORMANCE, CLUSTER, VAULT, BROWSER] },
  conformance: { exclude: configDefaults.exclude, include: [`${CONFORMANCE}/*.test.ts`] },
  vault: { exclude: configDefaults.exclude, include: [`${VAULT}/*.test.ts`] },
  browser: { exclude: configDefaults.exclude, include: [`${BROWSER}/*.test.ts`] },
  cluster: { exclude: configDefaults.exclude, include: [`${CLUSTER}/*.test.ts`], globalSetup },
} satisfies Record<string, CliOptions>;

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A file that could not be loaded, a failing hook and an error outside of any test each count as one failure. */
function tallyOf(modules: readonly TestModule[], unhandled: number): Tally {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const count = (state: ReturnType<(typeof tests)[number]['result']>['state']): number =>
    tests.filter((test) => test.result().state === state).length;
  const broken = modules.flatMap((module) => [
    ...module.errors(),
    ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
  ]).length;
  return {
    passed: count('passed'),
    failed: count('failed') + count('pending') + broken + unhandled,
    skipped: count('skipped'),
  };
}

/** The groups of tests that were left out; their names say why, and what brings them. */
function skippedIn(modules: readonly TestModule[]): ReadonlySet<string> {
  const tests = modules.flatMap((module) => [...module.children.allTests('skipped')]);
  return new Set(tests.map((test) => (test.parent.type === 'suite' ? test.parent : test).fullName));
}

function isGroup(name: string): name is keyof typeof groups {
  return Object.hasOwn(groups, name);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'forbid-skips': { type: 'boolean', default: false } },
});
const [name = 'all', ...paths] = positionals;
if (!isGroup(name)) {
  console.error(`There is no test group "${name}"; the groups are ${Object.keys(groups).join(', ')}.`);
  process.exit(2);
}
const vitest = await startVitest(paths, { run: true, watch: false, ...groups[name] });
const tally = tallyOf(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length);
const skipped = skippedIn(vitest.state.getTestModules());
await vitest.close();
for (const group of skipped) console.log(`Skipped: ${group}`);
if (values['forbid-skips'] && tally.skipped > 0)
  console.error('Tests were skipped, and this run forbids it.');
console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
const succeeded = tally.passed > 0 && tally.failed === 0 && !(values['forbid-skips'] && tally.skipped > 0);
process.exit(succeeded ? 0 : 1);
