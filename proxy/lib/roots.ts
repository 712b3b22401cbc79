/** What vouches for those whom the proxy calls. */
import { createSecureContext, getCACertificates, rootCertificates, type SecureContext } from 'node:tls';
import { certificatesIn } from '../../lib/pem.ts';
import { Lru } from '../../lib/lru.ts';

/** The roots of the system, else those that Node brings; PEM, one each. */
export function systemRoots(): readonly string[] {
  const ofSystem = getCACertificates('system');
  return ofSystem.length > 0 ? ofSystem : rootCertificates;
}

/** Those of the system and the installation's own. `more`: PEM. */
export function rootsWith(more: string | undefined): readonly string[] {
  return more === undefined ? systemRoots() : [...systemRoots(), ...certificatesIn(more)];
}

const KEPT = 16;
const contexts = new Lru<string, SecureContext>(KEPT);

/** One for all connections that trust the same: to read a hundred roots takes longer than a handshake. */
export function contextTrusting(roots: readonly string[]): SecureContext {
  const key = roots.join('\n');
  const context = contexts.get(key) ?? createSecureContext({ ca: [...roots] });
  contexts.set(key, context);
  return context;
}
