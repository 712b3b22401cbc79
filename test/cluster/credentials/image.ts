/** An image with Vault, its Kubernetes auth method, and an MCP server that calls elsewhere. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage } from '../../../hack/tools/container-image.ts';
import { imageBase, KUBERNETES_AUTH, vault, vaultKubernetes } from '../../../hack/tools/parts.ts';
import { bundle } from '../story/image.ts';

export const CREDENTIALS_IMAGE = 'localhost/credentials:dev';
export const VAULT_PROGRAM = '/vault/vault';
export const PLUGINS = '/vault/plugins';
export const SERVER_PROGRAM = '/app/server.mjs';

const DOCKERFILE = 'ARG BASE\nFROM ${BASE}\nCOPY vault /vault\nCOPY app /app\nENTRYPOINT ["node"]\n';

/** Writes the archive of the image. */
export async function buildCredentialsImage(archive: string): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'gatehouse-credentials-'));
  try {
    mkdirSync(join(context, PLUGINS), { recursive: true });
    copyFileSync(vault.file('vault'), join(context, VAULT_PROGRAM));
    copyFileSync(vaultKubernetes.file(KUBERNETES_AUTH), join(context, PLUGINS, KUBERNETES_AUTH));
    const server = join(import.meta.dirname, '../../fixtures/calling-server.ts');
    await bundle(server, join(context, SERVER_PROGRAM));
    writeFileSync(join(context, 'app/package.json'), '{"type":"module"}');
    await buildImage({
      reference: CREDENTIALS_IMAGE,
      dockerfile: DOCKERFILE,
      context,
      buildArguments: { BASE: `docker-archive:${imageBase.file('image.tar')}` },
      archive,
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}
