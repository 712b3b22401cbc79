/** Bundles the CLI for the image: one entry, a file for each process and files that several of them share. */
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');

/** What CommonJS packages take for granted and ES modules do not have. */
const COMMONJS = `
import { createRequire as $createRequire } from 'node:module';
import { dirname as $dirname } from 'node:path';
import { fileURLToPath as $fileURLToPath } from 'node:url';
const require = $createRequire(import.meta.url);
const __filename = $fileURLToPath(import.meta.url);
const __dirname = $dirname(__filename);
`.replaceAll('\n', '');

/**
 * Writes `main.mjs` and what it loads into the directory. Each verb is a dynamic import, so a process reads only what
 * it runs; errors keep one class each, which separate bundles would not.
 */
export async function bundle(directory: string): Promise<void> {
  await build({
    entryPoints: {
      main: join(ROOT, 'cli/main.ts'),
      // A thread is started from a file of its own.
      'masking-worker': join(ROOT, 'proxy/engine/masking/worker.ts'),
    },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    keepNames: true,
    // A fifth less to read at each start; names stay, for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    banner: { js: COMMONJS },
  });
  makeExecutable(join(directory, 'main.mjs'));
  // The PostgreSQL grammar, which its module looks for beside itself.
  const grammar = 'libpg-query.wasm';
  const source = createRequire(import.meta.url).resolve(`libpg-query/wasm/${grammar}`);
  copyFileSync(source, join(directory, grammar));
}

/** An image without a shell has no `env` to find Node either; it lies where the images of Node have it. */
function makeExecutable(path: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^#!.*/, '#!/usr/local/bin/node'));
  chmodSync(path, 0o755);
}
