import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const { options, forbidden = [] } = await extractDepcruiseConfig(join(root, '.dependency-cruiser.mjs'));
const folders = ['lib', 'crds', 'operator', 'proxy', 'cli', 'hack', 'test'];

async function examine(baseDir: string): Promise<ICruiseResult> {
  const present = await readdir(baseDir);
  const { output } = await cruise(
    folders.filter((folder) => present.includes(folder)),
    { ...options, baseDir, validate: true, ruleSet: { forbidden } },
  );
  if (typeof output === 'string') throw new Error('The cruiser answered with text.');
  return output;
}

/** A tree that breaks each rule once, and the rule that must say so. */
const violations: Record<string, Record<string, string>> = {
  'stages-are-strangers': { 'proxy/guard/a.ts': "import '../hold/b.ts';", 'proxy/hold/b.ts': 'export {};' },
  'shared-parts-know-no-stage': {
    'proxy/engine/a.ts': "import type { B } from '../hold/b.ts';",
    'proxy/hold/b.ts': 'export type B = 1;',
  },
  'helpers-know-no-engine': {
    'proxy/lib/a.ts': "import '../engine/b.ts';",
    'proxy/engine/b.ts': 'export {};',
  },
  'stages-are-passed-what-they-need': {
    'proxy/hold/a.ts': "import '../config.ts';",
    'proxy/config.ts': 'export {};',
  },
  'operator-knows-no-proxy': { 'operator/a.ts': "import '../proxy/b.ts';", 'proxy/b.ts': 'export {};' },
  'proxy-knows-no-operator': { 'proxy/a.ts': "import '../operator/b.ts';", 'operator/b.ts': 'export {};' },
  'crds-is-a-leaf': { 'crds/a.ts': "import '../proxy/b.ts';", 'proxy/b.ts': 'export {};' },
  'lib-is-a-leaf': { 'lib/a.ts': "import '../crds/b.ts';", 'crds/b.ts': 'export {};' },
  'nothing-imports-cli': { 'operator/a.ts': "import '../cli/b.ts';", 'cli/b.ts': 'export {};' },
  'product-knows-no-tests': { 'proxy/a.ts': "import '../test/b.ts';", 'test/b.ts': 'export {};' },
  'product-needs-no-dev-dependency': {
    'package.json': '{"name":"x","devDependencies":{"only-dev":"1.0.0"}}',
    'node_modules/only-dev/package.json': '{"name":"only-dev","version":"1.0.0","main":"index.js"}',
    'node_modules/only-dev/index.js': 'module.exports = 1;',
    'proxy/a.ts': "import 'only-dev';",
  },
  'no-cycles': { 'lib/a.ts': "import './b.ts';", 'lib/b.ts': "import type {} from './a.ts';" },
  'imports-resolve': { 'lib/a.ts': "import './nowhere.ts';" },
};

test(
  'the folders keep to their boundaries, and the cruiser saw every module',
  { timeout: 60_000 },
  async () => {
    const { modules, summary } = await examine(root);
    const seen = new Set(modules.map((module) => module.source));
    for (const folder of folders) {
      const sources = (await readdir(join(root, folder), { recursive: true })).filter((file) =>
        file.endsWith('.ts'),
      );
      const missed = sources.map((file) => join(folder, file)).filter((file) => !seen.has(file));
      expect(missed).toEqual([]);
    }
    expect(modules.length).toBeGreaterThan(100);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  },
);

test.for(forbidden.map((rule) => rule.name ?? 'a rule without a name'))('%s bites', async (name) => {
  const tree = await mkdtemp(join(tmpdir(), 'gatehouse-boundaries-'));
  try {
    for (const [file, content] of Object.entries(violations[name] ?? {})) {
      await mkdir(dirname(join(tree, file)), { recursive: true });
      await writeFile(join(tree, file), content);
    }
    const { summary } = await examine(tree);
    expect(summary.violations.map(({ rule }) => rule.name)).toContain(name);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
});
