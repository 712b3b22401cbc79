/** What a bundle says of Vault, with what only this process knows: the file of its token. */
import type { VaultAccess as VaultInBundle } from '../../../crds/bundle.ts';
import type { VaultSettings } from './access.ts';

/** `tokenFile`: what a pod shows Vault. A pod that was injected without one is told so when it needs it. */
export function vaultSettings(
  vault: VaultInBundle | undefined,
  tokenFile: string | undefined,
): VaultSettings | undefined {
  if (vault === undefined) return undefined;
  const { address, caBundle, namespace, auth } = vault;
  const asked = 'file' in auth ? auth : { ...auth, file: tokenFile };
  return { address, caBundle, namespace, auth: asked };
}
