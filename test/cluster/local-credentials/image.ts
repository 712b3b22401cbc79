/** An image with the published MCP server for PostgreSQL behind HTTP, and with the client of the story. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildImage } from '../../../hack/tools/container-image.ts';
import { imageBase } from '../../../hack/tools/parts.ts';
import { bundle, CLIENT_PROGRAM } from '../story/image.ts';

export const ORDERS_IMAGE = 'localhost/orders:dev';
export const SERVER_PROGRAM = '/app/server.mjs';
export const POSTGRES_PROGRAM = '/app/server-postgres.mjs';

const DOCKERFILE = 'ARG BASE\nFROM ${BASE}\nCOPY app /app\nENTRYPOINT ["node"]\n';

/** Writes the archive of the image. */
export async function buildOrdersImage(archive: string): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'gatehouse-orders-'));
  const published = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-postgres/package.json',
  );
  try {
    await bundle(join(dirname(published), 'dist/index.js'), join(context, POSTGRES_PROGRAM));
    await bundle(join(import.meta.dirname, 'server.ts'), join(context, SERVER_PROGRAM));
    await bundle(join(import.meta.dirname, '../story/call.ts'), join(context, CLIENT_PROGRAM));
    writeFileSync(join(context, 'app/package.json'), '{"type":"module"}');
    await buildImage({
      reference: ORDERS_IMAGE,
      dockerfile: DOCKERFILE,
      context,
      buildArguments: { BASE: `docker-archive:${imageBase.file('image.tar')}` },
      archive,
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}
