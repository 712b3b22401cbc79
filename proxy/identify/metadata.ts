/** OAuth 2.0 Protected Resource Metadata (RFC 9728). */
import type { Bundle } from '../../crds/bundle.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly resource_name: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
}

/** The document that tells clients which issuers' tokens the gateway takes. `resource`: an absolute URL. */
export function protectedResourceMetadata(
  bundle: Pick<Bundle, 'gateway' | 'identity'>,
  resource: string,
): ProtectedResourceMetadata {
  const issuers = bundle.identity.flatMap((provider) => (provider.kind === 'oidc' ? [provider.issuer] : []));
  return {
    resource: withoutFragment(resource),
    resource_name: bundle.gateway.name,
    authorization_servers: [...new Set(issuers)],
    bearer_methods_supported: ['header'],
  };
}

/** The paths at which clients look for the document of an MCP endpoint at `path`, most specific first. */
export function wellKnownPaths(path: string): readonly string[] {
  return path === '/' || path === '' ? [WELL_KNOWN] : [WELL_KNOWN + path, WELL_KNOWN];
}

/** RFC 9728, 3.1: the well-known part goes between the host and the path of the resource. */
export function metadataUrl(resource: string): string {
  const url = new URL(resource);
  return url.origin + WELL_KNOWN + (url.pathname === '/' ? '' : url.pathname) + url.search;
}

function withoutFragment(resource: string): string {
  const url = new URL(resource);
  if (url.hash === '') return resource;
  url.hash = '';
  return url.href;
}
