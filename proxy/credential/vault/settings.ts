/** What a bundle says of Vault, with what only this process knows: the file of its token. */
import type { Bundle } from '../../../crds/bundle.ts';
import { rootsWith } from '../../lib/roots.ts';
import type { VaultSettings } from './access.ts';

/** `tokenFile`: what a pod shows Vault. A pod that was injected without one is told so when it needs it. */
export function vaultSettings(
  { vault, upstreamRoots }: Pick<Bundle, 'vault' | 'upstreamRoots'>,
  tokenFile: string | undefined,
): VaultSettings | undefined {
  if (vault === undefined) return undefined;
  const { address, caBundle, namespace, auth } = vault;
  const asked = 'file' in auth ? auth : { ...auth, file: tokenFile };
  const roots = upstreamRoots === undefined ? undefined : rootsWith(upstreamRoots).join('\n');
  return { address, caBundle: caBundle ?? roots, namespace, auth: asked };
}
