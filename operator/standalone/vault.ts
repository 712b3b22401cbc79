/** The Vault of a standalone installation. */
import { readFile } from 'node:fs/promises';
import type { VaultAccess } from '../../crds/bundle.ts';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';
import type { VaultConfig } from '../config.ts';

/** The file of Vault's roots cannot be read. */
export class VaultRootsUnreadable extends GatehouseError {
  readonly code = 'vault_roots_unreadable';
}

/** Throws VaultRootsUnreadable. */
export async function vaultAccess(config: VaultConfig | undefined): Promise<VaultAccess | undefined> {
  if (config === undefined) return undefined;
  const { address, caFile, namespace, auth } = config;
  return {
    address: address.replace(/[/]$/, ''),
    ...(caFile !== undefined && { caBundle: await readRoots(caFile) }),
    ...(namespace !== undefined && { namespace }),
    auth,
  };
}

async function readRoots(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new VaultRootsUnreadable(
      `The file ${file}, which VAULT_CACERT names, cannot be read: ${sentenceOf(cause)}.`,
      { cause },
    );
  }
}
