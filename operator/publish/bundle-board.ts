import { gatewayName, type Bundle, type Rule } from '../../crds/bundle.ts';

/** The bundles in force, and whoever wants to know when they change. */
export interface BundleBoard {
  /** `undefined` until the first set is there: not yet known is something else than none. */
  current(): readonly Bundle[] | undefined;
  /** Puts a whole set in force; tells subscribers only when it differs from the last. */
  replace(bundles: readonly Bundle[]): void;
  /** Tells subscribers that who gets which bundle has changed. */
  announce(): void;
  subscribe(listener: () => void): () => void;
  bundle(gateway: string): Bundle | undefined;
  rule(gateway: string, name: string): Rule | undefined;
}

export function createBundleBoard(): BundleBoard {
  let bundles: readonly Bundle[] | undefined;
  const listeners = new Set<() => void>();
  const bundle = (gateway: string): Bundle | undefined =>
    bundles?.find((entry) => gatewayName(entry.gateway) === gateway);
  const announce = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    current: () => bundles,
    announce,
    replace: (next) => {
      const same = bundles !== undefined && fingerprintOf(bundles) === fingerprintOf(next);
      bundles = next;
      if (!same) announce();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    bundle,
    rule: (gateway, name) => bundle(gateway)?.rules.find((rule) => rule.name === name),
  };
}

/** Equal for sets that say the same. */
export function fingerprintOf(bundles: readonly Bundle[]): string {
  return bundles
    .map((bundle) => `${gatewayName(bundle.gateway)}@${bundle.revision}+${bundle.firstSeen.revision}`)
    .join(' ');
}
