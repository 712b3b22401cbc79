/** Which gateway, and what of it, a path means. */

/** What one gateway serves, under a prefix of its own. */
export interface Mount<G> {
  readonly gateway: G;
  /** namespace/name. */
  readonly name: string;
  /** The MCP path. */
  readonly path: string;
  /** The path of publicUrl, where a reverse proxy in front serves the MCP path under another one. */
  readonly publicPath: string | undefined;
  readonly passthrough: readonly { readonly path: string; readonly methods: readonly string[] }[];
}

export type Route<G> =
  | { readonly kind: 'mcp'; readonly gateway: G; readonly prefix: string }
  | { readonly kind: 'metadata'; readonly gateway: G; readonly prefix: string }
  | {
      readonly kind: 'passthrough';
      readonly gateway: G;
      readonly path: string;
      readonly methods: readonly string[];
    }
  | { readonly kind: 'none' };

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

export type Router<G> = (pathname: string) => Route<G>;

/**
 * Every gateway is served under `/<namespace>/<name>`; the only one also at its own path. `/<namespace>/<name>` alone
 * means its MCP path.
 */
export function createRouter<G>(mounts: readonly Mount<G>[]): Router<G> {
  const prefixed = mounts.map((mount) => ({ mount, prefix: `/${mount.name}` }));
  const [only] = mounts;
  const all =
    mounts.length === 1 && only !== undefined ? [{ mount: only, prefix: '' }, ...prefixed] : prefixed;
  return (pathname) => {
    for (const { mount, prefix } of all) {
      const route = within(mount, prefix, pathname);
      if (route !== undefined) return route;
    }
    return { kind: 'none' };
  };
}

function within<G>(mount: Mount<G>, prefix: string, pathname: string): Route<G> | undefined {
  const { gateway } = mount;
  if (pathname === prefix + mount.path || (prefix !== '' && pathname === prefix))
    return { kind: 'mcp', gateway, prefix };
  if (isMetadata(mount, prefix, pathname)) return { kind: 'metadata', gateway, prefix };
  if (!pathname.startsWith(`${prefix}/`)) return undefined;
  const path = pathname.slice(prefix.length);
  const passed = mount.passthrough.find((entry) => entry.path === path);
  return passed === undefined ? undefined : { kind: 'passthrough', gateway, path, methods: passed.methods };
}

/** RFC 9728, section 3.1: the well-known part goes before the resource's path; the root serves the only gateway. */
function isMetadata(mount: Mount<unknown>, prefix: string, pathname: string): boolean {
  if (pathname === WELL_KNOWN + prefix + mount.path) return true;
  if (mount.publicPath !== undefined && pathname === WELL_KNOWN + mount.publicPath) return true;
  return pathname === WELL_KNOWN + prefix;
}
