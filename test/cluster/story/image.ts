/** An image with an MCP server that nobody here wrote, server-everything, and with a client that calls it. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { buildImage } from '../../../hack/tools/container-image.ts';
import { imageBase } from '../../../hack/tools/parts.ts';

export const STORY_IMAGE = 'localhost/everything:dev';
export const SERVER_PROGRAM = '/app/server/transports/streamableHttp.mjs';
export const CLIENT_PROGRAM = '/app/call.mjs';

const DOCKERFILE = 'ARG BASE\nFROM ${BASE}\nCOPY app /app\nENTRYPOINT ["node"]\n';

/** Writes the archive of the image. */
export async function buildStoryImage(archive: string): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'gatehouse-story-'));
  try {
    const everything = serverEverything();
    await bundle(join(everything, 'transports/streamableHttp.js'), join(context, SERVER_PROGRAM));
    await bundle(join(import.meta.dirname, 'call.ts'), join(context, CLIENT_PROGRAM));
    // The server reads its instructions beside itself.
    cpSync(join(everything, 'docs'), join(context, 'app/server/docs'), { recursive: true });
    writeFileSync(join(context, 'app/package.json'), '{"type":"module"}');
    await buildImage({
      reference: STORY_IMAGE,
      dockerfile: DOCKERFILE,
      context,
      buildArguments: { BASE: `docker-archive:${imageBase.file('image.tar')}` },
      archive,
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

function serverEverything(): string {
  const manifest = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/package.json',
  );
  return join(dirname(manifest), 'dist');
}

/** One file that Node runs, with all that it imports. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'warning',
    // Packages in CommonJS take it for granted.
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
    },
  });
}
