/** Whom a standalone installation calls: its Vault, and what vouches for others. */
import { readFile } from 'node:fs/promises';
import type { VaultAccess } from '../../crds/bundle.ts';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';
import { areCertificates } from '../../lib/pem.ts';
import type { VaultConfig } from '../config.ts';

/** A file of roots cannot be read, or holds none. */
export class RootsUnreadable extends GatehouseError {
  readonly code = 'roots_unreadable';
}

/** Throws RootsUnreadable. */
export async function vaultAccess(config: VaultConfig | undefined): Promise<VaultAccess | undefined> {
  if (config === undefined) return undefined;
  const { address, caFile, namespace, auth } = config;
  return {
    address: address.replace(/[/]$/, ''),
    ...(caFile !== undefined && { caBundle: await readRoots(caFile, 'VAULT_CACERT') }),
    ...(namespace !== undefined && { namespace }),
    auth,
  };
}

/** PEM. `namedBy`: the option or variable that names the file. Throws RootsUnreadable. */
export async function readRoots(file: string, namedBy: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (areCertificates(text)) return text;
  } catch (cause) {
    throw new RootsUnreadable(
      `The file ${file}, which ${namedBy} names, cannot be read: ${sentenceOf(cause)}.`,
      { cause },
    );
  }
  throw new RootsUnreadable(`The file ${file}, which ${namedBy} names, must hold certificates in PEM.`);
}
